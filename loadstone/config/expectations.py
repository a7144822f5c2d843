"""What a choice of a toggle claims, and what it costs, each as an ordinary comparison to come.

    [orm.claims.prefetch]       # orm=prefetch against orm=naive: what the choice gains
    [orm.prices.prefetch]       # the same, for what it costs where that can be measured

Directions are those of the change, not of what is good: a price may well claim
that the CPU time of writes goes `higher`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loadstone.config.raw import RawExpectation, RawToggle
from loadstone.config.units import parse_share
from loadstone.errors import ConfigurationError
from loadstone.stats.verdicts import Direction
from loadstone.verdict import exact, metrics

Complain = Callable[[str, tuple[str, ...], str], ConfigurationError]
"""Makes an error of a problem, the keys below the toggle where it is, and a remedy."""
Read = Callable[[dict[str, Any], tuple[str, ...]], RawExpectation]
Suggest = Callable[[str, list[str]], str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A change that a comparison of two choices of one toggle is expected to show."""

    before: str
    after: str
    """Choices of the toggle."""
    metric: str
    """Of the pair lane, compared by ratio, or an exact fact of the probe."""
    direction: Direction
    """Which way the metric goes."""
    at_least: float
    """Smallest change expected at `size`, as a fraction of *before*; 0 where `at_most` is given instead."""
    at_most: float | None = None
    """Largest change expected."""
    says: str = ""
    scenario: str | None = None
    """None: the toggle's own."""
    endpoint: str | None = None
    """None: all endpoints together."""
    size: str | None = None
    """None: the project's default."""
    in_flight: int | None = None
    """Pairs on the wire at once, for what only simultaneous requests show; None: the project's default."""
    given: dict[str, str] = field(default_factory=dict)
    """Other toggles held while this is compared, beside the toggle's own `given`."""
    place: str = ""
    """File and line of its declaration."""

    @property
    def exact(self) -> bool:
        """Tell whether the metric is counted by the probe alone, without timing."""
        return self.metric in exact.BY_NAME


def measurable() -> list[str]:
    """Return the names of what an expectation can be about: ratios of the pair lane, and exact facts."""
    ratios = [one.name for one in metrics.METRICS if one.ratio and one.lane == "pair"]
    return [*ratios, *exact.BY_NAME]


def read_expectations(
    raw: RawToggle, kind: str, read: Read, complain: Complain, suggest: Suggest
) -> dict[str, Expectation]:
    """Return the claims or prices of a toggle by choice.

    Args:
        raw: the toggle's table.
        kind: `claims` or `prices`.
        read: checks the shape of the table at the keys below the toggle.
        complain: makes the error of a mistake, which is raised.
        suggest: makes a remedy of a word and of those that are known.
    """
    tables: dict[str, dict[str, Any]] = getattr(raw, kind)

    def bad(problem: str, key: tuple[str, ...], remedy: str) -> ConfigurationError:
        return complain(problem, (kind, *key), remedy)

    found = {}
    for choice, each in tables.items():
        table = read(each, (kind, choice))
        _check(raw, choice, table, bad, suggest)
        found[choice] = Expectation(
            before=table.before,
            after=choice,
            metric=table.metric,
            direction=Direction(table.direction),
            at_least=parse_share(table.at_least) if table.at_least else 0.0,
            at_most=parse_share(table.at_most) if table.at_most else None,
            says=table.says,
            scenario=table.scenario or raw.scenario,
            endpoint=table.endpoint,
            size=table.size,
            in_flight=table.in_flight,
            given=dict(table.given),
            place=complain("", (kind, choice), "").cause,
        )
    return found


def _check(raw: RawToggle, choice: str, table: RawExpectation, bad: Complain, suggest: Suggest) -> None:
    if choice not in raw.choices:
        raise bad(f"{choice!r} is no choice", (choice,), suggest(choice, raw.choices))
    others = [one for one in raw.choices if one != choice]
    if table.before not in others:
        raise bad(
            f"{choice!r} cannot be compared with {table.before!r}",
            (choice, "before"),
            suggest(table.before, others),
        )
    if table.metric not in measurable():
        raise bad(
            f"there is no metric {table.metric!r}", (choice, "metric"), suggest(table.metric, measurable())
        )
    if table.direction not in tuple(Direction):
        raise bad(
            f"{table.direction!r} is no direction",
            (choice, "direction"),
            "say whether it gets lower or higher",
        )
    by_metric = metrics.BY_NAME.get(table.metric)
    if table.endpoint is not None and by_metric is not None and not by_metric.per_endpoint:
        raise bad(
            f"{table.metric!r} cannot be told apart by endpoint",
            (choice, "endpoint"),
            "leave out the endpoint",
        )
    if table.scenario is None and raw.scenario is None:
        raise bad(f"no scenario shows {choice!r}", (choice,), "name one here, or the toggle's own")
    _check_amounts(choice, table, bad)


def _check_amounts(choice: str, table: RawExpectation, bad: Complain) -> None:
    if table.in_flight is not None and table.metric in exact.BY_NAME:
        raise bad(
            f"{table.metric!r} is counted request by request",
            (choice, "in_flight"),
            "leave out in_flight",
        )
    bounds = {name: text for name in ("at_least", "at_most") if (text := getattr(table, name))}
    if len(bounds) != 1:
        raise bad(
            "how large the change is must be said once",
            (choice,),
            "write at_least for what is gained, or at_most for what must not be exceeded",
        )
    for name, text in bounds.items():
        try:
            parse_share(text)
        except ConfigurationError as error:
            raise bad(error.problem, (choice, name), error.remedy) from error
