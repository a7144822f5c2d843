"""Must a search for capacity be believed? What its windows, searches and processes say of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

from loadstone.config.capacity import HIDDEN_SHARE, longest_us
from loadstone.record.capacity_result import SearchResult
from loadstone.record.result import Check, CheckStatus
from loadstone.stats.capacity import Trial
from loadstone.verdict.capacity_searches import SealedCapacity, WalkedWindow, search_result
from loadstone.verdict.capacity_window import parse_objective
from loadstone.verdict.checks.surroundings import others_check
from loadstone.verdict.load_checks import STEAL_WARN

FEW_SEARCHES = 3
INVALID_WARN = 0.2
HIDDEN_WARN = 1.5 * HIDDEN_SHARE


def capacity_checks(sealed: SealedCapacity) -> list[Check]:
    """Return every check, in the order in which reports show them."""
    windows = [one for each in sealed.searches for one in each.windows]
    if not windows:
        return []
    searches = [search_result(one) for one in sealed.searches]
    checks = [_valid(windows), _lag(windows), _hidden(sealed), _searches(sealed, searches)]
    steals = [one.line.block.steal for one in windows if one.line.block.steal is not None]
    if steals:
        mean = statistics.fmean(steals)
        told = f"the host took {mean:.1%} of the CPU away, {max(steals):.1%} in the worst window"
        checks.append(_check("steal", told, mean, STEAL_WARN, "use a quieter machine, or a longer budget"))
    raised = sum(one.line.block.scenario_errors for one in windows)
    first = next((one.line.block.first_error for one in windows if one.line.block.first_error), "")
    told = f"the scenario raised {raised} times" + (f", first: {first}" if first else "")
    checks.append(
        _check("scenario", told, raised, 0, "after a failed request that may be right; else mend it")
    )
    checks += [others_check(sealed.end.other_runs)] if sealed.end and sealed.end.other_runs else []
    if len(sealed.plan.processes) > 1:
        checks.append(_processes(sealed))
    return checks


def _valid(windows: Sequence[WalkedWindow]) -> Check:
    """Windows that the generator spoilt are not used, but many of them are a sign."""
    invalid = [one for one in windows if one.judged.trial is Trial.INVALID]
    share = len(invalid) / len(windows)
    told = f"{len(windows) - len(invalid)} of {len(windows)} windows were valid; the others are not used"
    if invalid:
        told += f" (last: {invalid[-1].judged.problems[0]})"
    remedy = "give the generator a core of its own (--pin), use LeanHttpUser, or raise load.most_lag"
    return _check("windows", told, share, INVALID_WARN, remedy)


def _lag(windows: Sequence[WalkedWindow]) -> Check:
    used = [one.judged.lag_us for one in windows if one.judged.trial is not Trial.INVALID]
    worst = max(used, default=0.0)
    return Check(
        name="lag",
        status=CheckStatus.OK,
        message=f"in the windows used, work was handed out at most {worst / 1000:.2f} ms late (99%)",
        value=worst,
    )


def _hidden(sealed: SealedCapacity) -> Check:
    """A queue that grows reaches the limit only after limit / overload seconds."""
    share = longest_us(parse_objective(sealed.plan)) / 1e6 / sealed.plan.window_s
    return _check(
        "window",
        f"windows of {sealed.plan.window_s:g} s may hide an overload of up to {share:.1%}",
        share,
        HIDDEN_WARN,
        "use longer ones: --window",
    )


def _searches(sealed: SealedCapacity, searches: Sequence[SearchResult]) -> Check:
    ended = [one for one in searches if one.limit not in {"unfinished", "tries"}]
    counts = [
        sum((one.variant, one.processes) == (variant, size) for one in ended)
        for variant in range(len(sealed.plan.variants))
        for size in sealed.plan.sizes
    ]
    few = min(counts)
    return Check(
        name="searches",
        status=CheckStatus.WARN if few < FEW_SEARCHES else CheckStatus.OK,
        message=f"each capacity was searched {few} times or more" if few else "a capacity was never found",
        remedy="allow more time with --budget: few searches make wide intervals"
        if few < FEW_SEARCHES
        else "",
        value=float(few),
    )


def _processes(sealed: SealedCapacity) -> Check:
    """The server must really have run more processes where it was told to."""
    seen: dict[int, set[int]] = {}
    for one in sealed.searches:
        seen.setdefault(one.line.processes, set()).add(one.line.server_processes)
    asked = sorted(seen)
    grown = all(max(seen[more]) - min(seen[fewer]) >= more - fewer for fewer, more in pairwise(asked))
    told = ", ".join(f"{size}: {max(seen[size])}" for size in asked)
    return Check(
        name="processes",
        status=CheckStatus.OK if grown else CheckStatus.FAIL,
        message=f"processes asked for and seen in the server's tree: {told}",
        remedy="" if grown else "name the environment variable that tells the server in target.processes_env",
        value=float(len(asked)),
    )


def _check(name: str, message: str, value: float, warn: float, remedy: str) -> Check:
    above = value > warn
    return Check(
        name=name,
        status=CheckStatus.WARN if above else CheckStatus.OK,
        message=message,
        remedy=remedy if above else "",
        value=float(value),
    )
