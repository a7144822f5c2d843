"""Accepted changes: a file in the repository, reviewed like code, that lets a regression pass for a while.

[[accepted]]
experiment = "browse"           # of [gate.experiments]
endpoint = "GET /products"      # left out: all endpoints together
metric = "latency_mean"         # or an exact fact; `budget = "p99<200ms"` for a budget
up_to = "10%"                   # the largest change; of a fact also its level, as 8 or "20kB"
reason = "prices are converted per request until the import does it"
who = "jane@example.org"
until = 2027-01-31              # the last day
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from loadstone.config.exact_rules import parse_amount
from loadstone.config.load import suggest
from loadstone.config.raw import Table, convert, read_toml
from loadstone.config.thresholds import parse_thresholds
from loadstone.errors import ConfigurationError
from loadstone.verdict import exact, metrics

Complain = Callable[[str, str, str], ConfigurationError]
"""Makes an error of a problem, the key where it is, and a remedy."""
_HEADER = re.compile(r"^\s*\[\[\s*accepted\s*\]\]")


class RawAccepted(Table, frozen=True, kw_only=True):
    """`[[accepted]]`: one change that may pass."""

    experiment: str
    reason: str
    who: str
    until: date
    up_to: str | int | float
    metric: str | None = None
    budget: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """One change that may pass, up to an amount, until a day."""

    experiment: str
    subject: str
    """A metric, an exact fact, or a budget's text."""
    endpoint: str | None
    up_to: float
    """A share of the base, a fact's level per request, or a budget's limit in its own unit."""
    share: bool
    """Whether `up_to` is a share of the base."""
    told: str
    """`up_to` as it was written."""
    reason: str
    who: str
    until: date
    path: str
    line: int

    def expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return today > self.until


def read_accepted(path: Path, experiments: Collection[str]) -> tuple[Accepted, ...]:
    """Return what a file accepts, nothing where there is no such file.

    Args:
        path: of the file.
        experiments: names that an entry may have.

    Raises:
        ConfigurationError: with file and line.
    """
    if not path.is_file():
        return ()
    data, text = read_toml(path)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    tables = data.pop("accepted", [])
    if data or not isinstance(tables, list) or len(lines) != len(tables):
        raise ConfigurationError(
            f"{path.name} holds something else than [[accepted]] tables",
            cause=f"{path}:1: {', '.join(data) or 'accepted'}",
            remedy="write each accepted change as an [[accepted]] table",
        )
    return tuple(
        _read(table, path, text, line, experiments) for table, line in zip(tables, lines, strict=True)
    )


def _read(
    table: dict[str, Any], path: Path, text: str, header: int, experiments: Collection[str]
) -> Accepted:
    def bad(problem: str, key: str, remedy: str) -> ConfigurationError:
        cause = f"{path}:{_line_of(key, text, header)}"
        return ConfigurationError(f"{path.name}: {problem}", cause=cause, remedy=remedy)

    try:
        raw = convert(table, RawAccepted, path, "")
    except ConfigurationError as error:
        named = re.search(r"(?:field `|at )(\w+)", error.problem)
        problem = error.problem.removeprefix(f"{path.name}: ")
        remedy = "an entry has experiment, metric or budget, up_to, reason, who and until"
        raise bad(problem, named[1] if named else "", remedy) from error
    _check(raw, experiments, bad)
    up_to, share = _up_to(raw, bad)
    return Accepted(
        experiment=raw.experiment,
        subject=raw.metric or str(raw.budget),
        endpoint=raw.endpoint,
        up_to=up_to,
        share=share,
        told=str(raw.up_to),
        reason=raw.reason,
        who=raw.who,
        until=raw.until,
        path=str(path),
        line=header,
    )


def _line_of(key: str, text: str, header: int) -> int:
    """Return the line of a key in the table that begins at line `header`, or that line."""
    for number, line in enumerate(text.splitlines()[header:], start=header + 1):
        if _HEADER.match(line):
            break
        if key and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
    return header


def _check(raw: RawAccepted, experiments: Collection[str], bad: Complain) -> None:
    if raw.experiment not in experiments:
        remedy = suggest(raw.experiment, list(experiments))
        raise bad(f"there is no experiment {raw.experiment!r}", "experiment", remedy)
    if (raw.metric is None) == (raw.budget is None):
        raise bad("an entry accepts one metric or one budget", "metric", "write metric = … or budget = …")
    for key in ("reason", "who"):
        if not getattr(raw, key).strip():
            raise bad(f"{key} is empty", key, "say why, and who answers for it")


def _up_to(raw: RawAccepted, bad: Complain) -> tuple[float, bool]:
    """Return the amount, and whether it is a share of the base."""
    written = str(raw.up_to)
    if raw.budget is not None:
        return _limit(raw, written, bad), False
    known = [*metrics.BY_NAME, *exact.BY_NAME]
    if raw.metric not in known:
        raise bad(f"there is no metric {raw.metric!r}", "metric", suggest(str(raw.metric), known))
    amount, unit = parse_amount(written)
    if amount is None or (raw.metric in metrics.BY_NAME and unit != "%"):
        raise bad(
            f"{written!r} is no amount of {raw.metric}", "up_to", "write it like 10%, or a fact's level"
        )
    return amount, unit == "%"


def _limit(raw: RawAccepted, written: str, bad: Complain) -> float:
    """Return another limit for the same budget."""
    try:
        (budget,) = parse_thresholds(str(raw.budget))
        measure = budget.text[: budget.text.rindex(budget.operator)]
        (other,) = parse_thresholds(f"{measure}{budget.operator}{written}")
    except (ConfigurationError, ValueError) as error:
        raise bad(
            f"{written!r} is no other limit for {raw.budget!r}",
            "up_to",
            "write it in the budget's unit, as 250ms",
        ) from error
    return other.limit
