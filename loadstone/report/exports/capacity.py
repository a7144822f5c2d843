"""A search for capacity as JUnit XML, CSV and OpenMetrics.

No rate that keeps the objective, and a capacity that fell, are failures; a capacity
that is not known is skipped, as is a search that was interrupted. A search that must
not be believed is an error.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import Metric

from loadstone.record.capacity_result import Bound, CapacityEstimate, CapacityResult
from loadstone.report import capacity_summary as summary
from loadstone.report import safe
from loadstone.report.exports import table
from loadstone.report.exports.families import Series, counter, expose, gauge, seconds_of
from loadstone.report.exports.junit import OUTCOMES as VERDICTS
from loadstone.report.exports.junit import check_case
from loadstone.report.exports.runs import suite
from loadstone.report.exports.suites import Case
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.capacity_words import known, with_processes

OUTCOMES = {"BROKEN": "failure", "INVALID": "error", "INTERRUPTED": "skipped", "UNKNOWN": "skipped"}
"""Of the search's one word: what a JUnit case is; FOUND passes."""
BOUNDS = {Bound.BELOW: "failure", Bound.UNKNOWN: "skipped"}
COLUMNS = (
    "run", "started_at", "kind", "variant", "processes", "generation", "bound", "rps", "low", "high",
    "searches", "knee_rps", "ratio", "verdict", "seconds", "trial", "requests", "errors", "latency_us",
    "lag_us", "generator_cores", "server_cores", "note",
)  # fmt: skip
"""Of every row, in this order; later versions add at the end."""
OF_WINDOWS = (
    "processes", "generation", "seconds", "trial", "requests", "errors", "latency_us", "lag_us",
    "generator_cores", "server_cores",
)  # fmt: skip
LABELS = ("run", "variant", "processes")


def junit(result: CapacityResult) -> str:
    """Return a suite: the search, each capacity, each of them against the baseline's, each check."""
    word = summary.word(result)
    return suite("capacity", result, word, result.headline, _cases(result, word))


def _cases(result: CapacityResult, word: str) -> Iterator[Case]:
    told = f"{result.headline}\n{summary.intro(result)}"
    yield Case("capacity", result.plan.title, OUTCOMES.get(word, ""), word.lower(), result.headline, told)
    for one in result.estimates:
        told = "; ".join(part for part in (known(one), one.note) if part)
        name = f"capacity of {_name(one.label, one.processes)}"
        yield Case("capacities", name, BOUNDS.get(one.bound, ""), str(one.bound), told, told)
    for gain in result.gains:
        told = "no capacities to compare" if gain.ratio is None else f"{gain.ratio:.3f} times the baseline's"
        name = f"{_name(_label(result, gain.variant), gain.processes)} against the baseline"
        outcome = VERDICTS.get(Verdict(gain.verdict), "")
        yield Case("gains", name, outcome, gain.verdict, f"{gain.verdict}: {told}", told)
    for check in result.checks:
        yield check_case(check)


def csv(result: CapacityResult) -> str:
    """Return a row a capacity, a capacity against the baseline's, and a window."""
    return table.written(COLUMNS, {"run": result.id, "started_at": result.started_at}, _rows(result))


def _rows(result: CapacityResult) -> Iterator[dict[str, Any]]:
    for one in result.estimates:
        names = ("processes", "bound", "rps", "searches", "knee_rps", "note")
        row = {name: getattr(one, name) for name in names} | {"low": one.low_rps, "high": one.high_rps}
        yield row | {"kind": "capacity", "variant": one.label}
    for gain in result.gains:
        names = ("processes", "bound", "ratio", "low", "high", "verdict")
        row = {name: getattr(gain, name) for name in names} | {"searches": gain.pairs}
        yield row | {"kind": "gain", "variant": _label(result, gain.variant)}
    for window in result.windows:
        row = {name: getattr(window, name) for name in OF_WINDOWS} | {"rps": window.rate_rps}
        note = "; ".join([*window.problems, *window.broke])
        yield row | {"kind": "window", "variant": _label(result, window.variant), "note": note}


def openmetrics(result: CapacityResult) -> str:
    """Return the exposition, ended with `# EOF`: all of it stands at the end of the search."""
    return expose(_families(result))


def _families(result: CapacityResult) -> Iterator[Metric]:
    end = seconds_of(result.finished_at)
    rates: Series = {}
    for one in result.estimates:
        for which, value in _numbers(one):
            if value is not None:
                rates[*_labels(result, one.variant, one.processes), str(one.bound), which] = {end: value}
    told = "Most requests per second that keep the objective; `bound` says what is known of it"
    yield gauge("loadstone_capacity_requests_per_second", told, (*LABELS, "bound", "which"), rates)
    ratios: Series = defaultdict(dict)
    for gain in result.gains:
        for which, value in (("estimate", gain.ratio), ("low", gain.low), ("high", gain.high)):
            if value is not None:
                labels = _labels(result, gain.variant, gain.processes)
                ratios[*labels, gain.verdict, which][end] = value
    told = "Capacity against that of the baseline"
    yield gauge("loadstone_capacity_ratio", told, (*LABELS, "verdict", "which"), ratios)
    counts = Counter((one.variant, one.processes, one.trial) for one in result.windows)
    windows: Series = {
        (*_labels(result, variant, processes), trial): {end: float(count)}
        for (variant, processes, trial), count in sorted(counts.items())
    }
    yield counter("loadstone_capacity_windows", "Windows by what they showed", (*LABELS, "trial"), windows)


def _numbers(one: CapacityEstimate) -> tuple[tuple[str, float | None], ...]:
    return (("estimate", one.rps), ("low", one.low_rps), ("high", one.high_rps), ("knee", one.knee_rps))


def _labels(result: CapacityResult, variant: int, processes: int) -> tuple[str, ...]:
    return result.id, safe.name(_label(result, variant)), str(processes)


def _label(result: CapacityResult, variant: int) -> str:
    return result.plan.variants[variant].label


def _name(label: str, processes: int) -> str:
    return label + (f" with {with_processes(processes)}" if processes else "")
