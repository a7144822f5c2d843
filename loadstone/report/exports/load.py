"""A load run as JUnit XML, CSV and OpenMetrics.

A threshold that broke is a failure; one that could not be told is skipped, as is a run
that was interrupted: neither looks like a pass. A run that must not be believed is an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import Metric

from loadstone.record.load_result import EndpointLoad, LoadResult, SecondLoad, ThresholdResult
from loadstone.report import load_summary as summary
from loadstone.report import safe
from loadstone.report.charts.percentiles import stop_name
from loadstone.report.exports import table
from loadstone.report.exports.families import ALL, Series, counter, expose, gauge, seconds_of
from loadstone.report.exports.junit import check_case
from loadstone.report.exports.runs import suite
from loadstone.report.exports.suites import Case

OUTCOMES = {"BROKEN": "failure", "INVALID": "error", "INTERRUPTED": "skipped"}
"""Of the run's one word: what a JUnit case is; the others pass."""
STATUSES = {"broken": "failure", "unknown": "skipped"}
TIMES = ("response", "service", "lag")
COLUMNS = (
    "run", "started_at", "variant", "kind", "endpoint", "time", "start_s", "width_s", "planned",
    "requests", "errors", "rps", "mean_us", "p50_us", "p75_us", "p90_us", "p95_us", "p99_us",
    "p99.9_us", "p99.99_us", "max_us", "status", "worst", "unit",
)  # fmt: skip
"""Of every row, in this order; later versions add at the end."""
LABELS = ("run", "variant")


def junit(result: LoadResult) -> str:
    """Return a suite: the run, each threshold, each check."""
    word = summary.word(result)
    return suite("load", result, word, summary.headline(result), _cases(result, word))


def _cases(result: LoadResult, word: str) -> Iterator[Case]:
    told = "\n".join(
        line
        for line in (summary.headline(result), summary.verdict_line(result), summary.model_line(result))
        if line
    )
    message = summary.verdict_line(result) or summary.headline(result)
    open_ = any(one.status == "unknown" for one in result.thresholds)
    outcome = OUTCOMES.get(word, "skipped" if open_ else "")
    yield Case("load", result.plan.title, outcome, word.lower(), message, told)
    for one, line in zip(result.thresholds, summary.threshold_lines(result), strict=True):
        yield Case("thresholds", one.text, STATUSES.get(one.status, ""), one.status, line, line)
    for check in result.checks:
        yield check_case(check)


def csv(result: LoadResult) -> str:
    """Return a row a time of each endpoint and kind of iteration, a second, and a threshold."""
    common = {"run": result.id, "started_at": result.started_at, "variant": result.plan.variant}
    return table.written(COLUMNS, common, _rows(result))


def _rows(result: LoadResult) -> Iterator[dict[str, Any]]:
    for one in (result.overall, *result.endpoints):
        yield from _endpoint(one, "endpoint")
    for one in result.iterations:
        yield from _endpoint(one, "iteration")
    for second in result.seconds:
        yield _second(second)
    for threshold in result.thresholds:
        yield _threshold(threshold)


def _endpoint(one: EndpointLoad, kind: str) -> Iterator[dict[str, Any]]:
    for time in TIMES:
        times = getattr(one, time)
        row = {name: getattr(one, name) for name in ("endpoint", "requests", "errors", "rps")}
        row |= {"kind": kind, "time": time, "mean_us": times.mean_us, "max_us": times.max_us}
        yield row | {f"{stop_name(q)}_us": value for q, value in times.values}


def _second(one: SecondLoad) -> dict[str, Any]:
    names = ("start_s", "width_s", "planned", "requests", "errors", "p50_us", "p99_us")
    row = {name: getattr(one, name) for name in names}
    return row | {"kind": "second", "time": "response", "rps": one.requests / one.width_s}


def _threshold(one: ThresholdResult) -> dict[str, Any]:
    names = ("requests", "status", "worst", "unit")
    return {"kind": "threshold", "endpoint": one.text} | {name: getattr(one, name) for name in names}


def openmetrics(result: LoadResult) -> str:
    """Return the exposition, ended with `# EOF`.

    What was seen second by second stands at the times of its seconds, which are
    reckoned back from the end of the run: stopping the target made them a moment late.
    """
    return expose(_families(result))


def _families(result: LoadResult) -> Iterator[Metric]:
    end = seconds_of(result.finished_at)
    yield from _seconds(result, end)
    times: Series = defaultdict(dict)
    counts: Series = defaultdict(dict)
    for one in (result.overall, *result.endpoints):
        labels = (*_labels(result), safe.name(one.endpoint) if one.endpoint else ALL)
        for time in TIMES:
            for q, value in getattr(one, time).values:
                if value is not None:
                    times[(*labels, time, f"{q:g}")][end] = value / 1e6
        if one.endpoint is not None:
            counts |= {(*labels, outcome): {end: float(count)} for outcome, count in one.outcomes.items()}
    yield gauge(
        "loadstone_load_time_seconds",
        "Quantiles of the three times of a request, over the whole run",
        (*LABELS, "endpoint", "time", "quantile"),
        times,
    )
    labels = (*LABELS, "endpoint", "outcome")
    yield counter("loadstone_requests", "Measured requests by outcome", labels, counts)
    yield gauge(
        "loadstone_threshold",
        "1 for what became of a threshold",
        (*LABELS, "threshold", "status"),
        {
            (*_labels(result), safe.name(one.text), status): {end: float(one.status == status)}
            for one in result.thresholds
            for status in ("kept", "broken", "unknown")
        },
    )
    if result.cpu_per_request_s is not None:
        told = "CPU of all the variant's processes per request"
        cpu: Series = {_labels(result): {end: result.cpu_per_request_s}}
        yield gauge("loadstone_cpu_per_request_seconds", told, LABELS, cpu)


def _seconds(result: LoadResult, end: float) -> Iterator[Metric]:
    begin, own = end - result.duration_s, _labels(result)
    planned: Series = defaultdict(dict)
    done: Series = defaultdict(dict)
    times: Series = defaultdict(dict)
    for one in result.seconds:
        at = round(begin + one.start_s + one.width_s, 3)
        if one.planned is not None:
            planned[own][at] = one.planned / one.width_s
        done[(*own, "all")][at] = one.requests / one.width_s
        done[(*own, "failed")][at] = one.errors / one.width_s
        for q, value in (("0.5", one.p50_us), ("0.99", one.p99_us)):
            if value is not None:
                times[(*own, q)][at] = value / 1e6
    yield gauge("loadstone_load_planned_per_second", "Arrivals that the plan had", LABELS, planned)
    yield gauge("loadstone_load_requests_per_second", "Requests that ended", (*LABELS, "which"), done)
    told = "Response time of what ended in a second"
    yield gauge("loadstone_load_response_seconds", told, (*LABELS, "quantile"), times)


def _labels(result: LoadResult) -> tuple[str, ...]:
    return result.id, safe.name(result.plan.variant)
