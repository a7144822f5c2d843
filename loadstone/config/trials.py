"""Claims and prices as comparisons to run, in the words of `loadstone compare`."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import msgspec

from loadstone.config.compile import Wish
from loadstone.config.expectations import Expectation
from loadstone.config.load import Project, suggest
from loadstone.errors import ConfigurationError
from loadstone.stats.verdicts import Direction


class Kind(StrEnum):
    """What is declared of a choice."""

    CLAIM = "claim"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Trial:
    """One claim or price of one choice, and the size and budget it is tried with."""

    toggle: str
    kind: Kind
    expected: Expectation
    size: str
    budget: str

    @property
    def before(self) -> str:
        """The baseline, as `orm=naive`."""
        return f"{self.toggle}={self.expected.before}"

    @property
    def after(self) -> str:
        """What is claimed of, as `orm=prefetch`."""
        return f"{self.toggle}={self.expected.after}"

    @property
    def key(self) -> str:
        """Twelve hex digits of everything that is declared and asked for, but for what is said for people."""
        declared = asdict(self.expected) | {"says": "", "place": ""}
        if declared["at_most"] is None:  # what is known of others was found before there was such a bound
            del declared["at_most"]
        if declared["in_flight"] is None:  # as above
            del declared["in_flight"]
        text = msgspec.json.encode([self.toggle, self.kind, declared, self.size, self.budget])
        return hashlib.sha256(text).hexdigest()[:12]


def find_trials(
    project: Project,
    toggles: Sequence[str],
    kinds: Sequence[Kind],
    *,
    size: str | None = None,
    budget: str | None = None,
) -> list[Trial]:
    """Return what is declared, toggle by toggle, claims before prices.

    Args:
        project: whose toggles these are.
        toggles: names, or `orm=prefetch` for one choice; none: all.
        kinds: claims, prices, or both.
        size: for all of them; None: as each declares, or the project's default.
        budget: for each; None: the project's.

    Raises:
        ConfigurationError: a toggle or choice is unknown, or nothing is declared.
    """
    chosen = [_choice_of(project, one) for one in toggles] or [(name, None) for name in project.toggles]
    default = project.raw.data.size or project.raw.data.sizes[0]
    found = [
        Trial(name, kind, expected, size or expected.size or default, budget or project.raw.compare.budget)
        for name, choice in dict.fromkeys(chosen)
        for kind, declared in (
            (Kind.CLAIM, project.toggles[name].claims),
            (Kind.PRICE, project.toggles[name].prices),
        )
        if kind in kinds
        for expected in declared.values()
        if choice in {None, expected.after}
    ]
    if not found:
        raise ConfigurationError(
            f"nothing is declared of {', '.join(toggles) or 'any toggle'}",
            remedy="declare [NAME.claims.CHOICE] or [NAME.prices.CHOICE] beside the toggle",
        )
    return found


def wish_for(trial: Trial) -> Wish:
    """Return the comparison that tries `trial`: its metric decides, with the errors, where it is timed."""
    expected = trial.expected
    return Wish(
        before=trial.before,
        after=trial.after,
        held=tuple(f"{name}={choice}" for name, choice in expected.given.items()),
        scenario=expected.scenario,
        size=trial.size,
        budget=trial.budget,
        in_flight=expected.in_flight,
        gating=() if expected.exact else (expected.metric, "errors"),
        settle=_settle(expected),
        lane="probe" if expected.exact else "pair",
    )


def command_for(trial: Trial) -> str:
    """Return the command that repeats the comparison by itself."""
    wish = wish_for(trial)
    words = ["loadstone", "compare", wish.before, wish.after, "--scenario", str(wish.scenario)]
    words += ["--size", trial.size, "--seed", str(wish.seed)]
    words += [word for one in wish.held for word in ("--with", one)]
    if trial.expected.exact:
        return shlex.join([*words, "--lane", "probe"])
    if wish.in_flight is not None:
        words += ["--in-flight", str(wish.in_flight)]
    words += [word for one in wish.settle for word in ("--settle", one)]
    return shlex.join([*words, "--budget", trial.budget, "--gate", ",".join(wish.gating)])


def _settle(expected: Expectation) -> tuple[str, ...]:
    """Return the bound that the interval is to leave out: on one side of it, the expectation is decided."""
    if expected.exact or expected.endpoint is not None:
        return ()
    bound = expected.at_least if expected.at_most is None else expected.at_most
    signed = -bound if expected.direction is Direction.LOWER else bound
    return (f"{expected.metric}={signed * 100:+.4g}%",) if bound else ()


def _choice_of(project: Project, text: str) -> tuple[str, str | None]:
    name, _, choice = text.partition("=")
    toggle = project.toggles.get(name)
    if toggle is None:
        raise ConfigurationError(f"unknown toggle {name!r}", remedy=suggest(name, project.toggles))
    declared = {**toggle.claims, **toggle.prices}
    if choice and choice not in declared:
        raise ConfigurationError(
            f"nothing is declared of {text!r}", remedy=suggest(choice, declared) if declared else ""
        )
    return name, choice or None
