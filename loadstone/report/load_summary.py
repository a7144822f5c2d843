"""A load run in words: one set of lines, for the terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable

from loadstone.record.going import LoadGoing
from loadstone.record.load_record import WorkerLine
from loadstone.record.load_result import EndpointLoad, LoadResult, ThresholdResult
from loadstone.record.observations import LABEL_OF_CLASS
from loadstone.record.result import Check, CheckStatus
from loadstone.report.quantities import microseconds

SHOWN = (0.5, 0.95, 0.99, 0.999)
COLUMNS = ("endpoint", "requests", "failed", "/s", "p50", "p95", "p99", "p99.9", "max")


def word(result: LoadResult) -> str:
    """Return how the run went, in one word."""
    if result.status == "invalid":
        return "INVALID"
    if any(one.status == "broken" for one in result.thresholds):
        return "BROKEN"
    if result.status == "partial":
        return "INTERRUPTED"
    return "KEPT" if result.thresholds else "DONE"


def headline(result: LoadResult) -> str:
    """Return how the run went, in one line."""
    return f"{word(result)}  {result.plan.title} for {result.duration_s:.1f} s"


def verdict_line(result: LoadResult) -> str:
    """Say what became of the thresholds, and whether to believe it; nothing where there were none."""
    told = result.thresholds
    broken = [one.text for one in told if one.status == "broken"]
    unknown = [one.text for one in told if one.status == "unknown"]
    parts = []
    if result.status == "invalid":
        failed = [one.name for one in result.checks if one.status is CheckStatus.FAIL]
        parts.append("this measurement must not be believed" + (f" ({', '.join(failed)})" if failed else ""))
    if broken:
        parts.append(f"{len(broken)} of {len(told)} thresholds broke: {', '.join(broken)}")
    if unknown:
        parts.append(f"could not be told: {', '.join(unknown)}")
    if told and not parts:
        which = {1: "the threshold was", 2: "both thresholds were"}
        return f"{which.get(len(told), f'all {len(told)} thresholds were')} kept"
    return "; ".join(parts)


def model_line(result: LoadResult) -> str:
    """Say which model offered the load, and how much of it was carried out."""
    if result.plan.model == "closed":
        return (
            f"closed model: {result.users} users with think time; {result.overall.requests} requests, "
            f"{result.overall.rps:.1f}/s. A slow server was asked less: this is no fixed rate."
        )
    told = f"open model: {result.begun} of {result.due} planned arrivals begun by {result.users} users"
    if result.saturated:
        told += f"; saturated: {result.not_sent} never sent, {result.unfinished} not finished"
    return told + ". Response times count from the planned start."


def rows(result: LoadResult | LoadGoing) -> list[tuple[str, ...]]:
    """Return the table of endpoints, all together last; response times."""
    rows = [_row(each, each.endpoint or "") for each in result.endpoints]
    return rows if result.overall is None else [*rows, _row(result.overall, "all together")]


def time_lines(result: LoadResult) -> list[str]:
    """Return what else is known of times: service and iterations."""
    service = _times(result.overall, "service")
    lines = [f"service time (from the send): {service}"] if service else []
    for each in result.iterations:
        times = _times(each, "response")
        lines += [f"iteration {each.endpoint}: {each.requests}{', ' if times else ''}{times}"]
    if result.cpu_per_request_s is not None:
        lines.append(f"CPU of all processes per request: {result.cpu_per_request_s * 1000:.2f} ms")
    return lines


def worker_lines(result: LoadResult) -> list[str]:
    """Return a line for each worker, where there are several or one of another host."""
    if len(result.workers) <= 1 and not any(one.clock_bound_us for one in result.workers):
        return []
    return [_worker(one) for one in result.workers]


def _worker(one: WorkerLine) -> str:
    told = f"{one.name}: {one.begun} of {one.due} arrivals, {one.requests} requests"
    told += f", {one.cpu_s / one.duration_s:.0%} of a core" if one.duration_s else ""
    if one.clock_offset_us is not None:
        told += f", clock {one.clock_offset_us / 1000:+z.3f} ± {one.clock_bound_us / 1000:.3f} ms"
    told += f", joined at arrival {one.first}" if one.first else ""
    return told + (f"; {one.ended}, {one.lost} arrivals untold" if one.ended else "")


def outcome_line(result: LoadResult) -> str:
    """Return how requests ended, where any failed."""
    if not result.overall.errors:
        return ""
    counts = result.overall.outcomes.items()
    told = ", ".join(f"{count} {LABEL_OF_CLASS.get(name, name)}" for name, count in counts)
    return f"outcomes: {told}"


def threshold_lines(result: LoadResult) -> list[str]:
    """Return a line for each threshold."""
    return [_threshold(one) for one in result.thresholds]


def check_lines(checks: Iterable[Check]) -> list[str]:
    """Return the checks that say something."""
    told = []
    for check in checks:
        if check.status is not CheckStatus.OK:
            remedy = f" ({check.remedy})" if check.remedy else ""
            told.append(f"{check.status}: {check.name}: {check.message}{remedy}")
    return told or ["all checks of the measurement passed"]


def broke_at(one: ThresholdResult) -> bool:
    """Tell whether a threshold broke at one moment, rather than over the whole run."""
    return one.status == "broken" and " over " in one.text


def duration(us: float | None) -> str:
    """Return a time with its unit; what is not known is a dash."""
    return "–" if us is None or math.isnan(us) else microseconds(us)


def _row(each: EndpointLoad, name: str) -> tuple[str, ...]:
    times = dict(each.response.values)
    failed = f"{each.errors / each.requests:.2%}" if each.errors else "0"
    return (
        name,
        str(each.requests),
        failed,
        f"{each.rps:.1f}",
        *(duration(times.get(q)) for q in SHOWN),
        duration(each.response.max_us),
    )


def _times(each: EndpointLoad, which: str) -> str:
    times = dict(getattr(each, which).values)
    told = [f"p{q * 100:g} {duration(times[q])}" for q in SHOWN if times.get(q) is not None]
    return ", ".join(told)


def _threshold(one: ThresholdResult) -> str:
    if one.status == "unknown":
        return f"? {one.text}: could not be told"
    mark = "✓" if one.status == "kept" else "✗"
    return f"{mark} {one.text}: {worst(one)}" + (f", at {one.at_s} s" if " over " in one.text else "")


def worst(one: ThresholdResult) -> str:
    """Return the worst that was seen of a threshold, with its unit."""
    if one.worst is None:
        return "longer than any limit"
    if one.unit == "us":
        return duration(one.worst)
    return f"{one.worst:.3%}" if one.unit == "share" else f"{one.worst:.1f}/s"
