"""A search for capacity in words: one set of lines, for the terminal and for Markdown."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loadstone.config.thresholds import parse_thresholds
from loadstone.record.capacity_result import (
    Bound,
    CapacityEstimate,
    CapacityResult,
    ScalabilityResult,
    WindowResult,
)
from loadstone.report.quantities import microseconds
from loadstone.verdict.capacity_words import factor, known, rate, unit, with_processes

ROWS = 12
"""Rates of a picture, at most."""
BAR = 34
OFF_SCALE = 4.0
"""Times the limit: slower than that says how long the window was, and is not told apart."""


@dataclass(frozen=True)
class PictureRow:
    """What windows near one rate showed."""

    rate_rps: float
    latency_us: float | None
    trials: str
    worst: str
    """`kept`, `broken` or `invalid`: the most frequent."""


@dataclass(frozen=True)
class Picture:
    """Response time against rate, for one variant at one number of processes."""

    title: str
    processes: int
    limit_us: float | None
    rows: list[PictureRow]


def word(result: CapacityResult) -> str:
    """Return how the run went, in one word."""
    if result.status == "invalid":
        return "INVALID"
    if result.status == "partial":
        return "INTERRUPTED"
    if any(one.bound is Bound.BELOW for one in result.estimates):
        return "BROKEN"
    return "FOUND" if all(one.bound is not Bound.UNKNOWN for one in result.estimates) else "UNKNOWN"


def intro(result: CapacityResult) -> str:
    """Say how it was searched."""
    plan = result.plan
    arrivals = "arrivals at random" if plan.poisson else "evenly spaced arrivals"
    turns = ", the variants' windows in turn" if len(plan.variants) > 1 else ""
    return (
        f"{len(result.windows)} windows of {plan.window_s:g} s or more, {arrivals}{turns}; "
        f"every search on a fresh start; {result.stop_reason}"
    )


COLUMNS = ("variant", "processes", "capacity", "95% interval", "searches", "knee")


def rows(result: CapacityResult) -> list[tuple[str, ...]]:
    """Return the table of capacities."""
    return [_row(one, unit(result.estimates)) for one in result.estimates]


def _row(one: CapacityEstimate, counted: str) -> tuple[str, ...]:
    interval = f"{rate(one.low_rps)} to {rate(one.high_rps)}" if one.low_rps and one.high_rps else "–"
    capacity = known(one).split(" (", 1)[0]
    return (
        one.label,
        str(one.processes) if one.processes else "as started",
        capacity if one.rps is None else f"{capacity} {counted}",
        interval,
        str(one.searches),
        f"{rate(one.knee_rps)}/s" if one.knee_rps else "–",
    )


def note_lines(result: CapacityResult) -> list[str]:
    """Return why a capacity is known in part only."""
    return [
        f"{one.label}{f', {with_processes(one.processes)}' if one.processes else ''}: {one.note}"
        for one in result.estimates
        if one.note
    ]


def gain_lines(result: CapacityResult) -> list[str]:
    """Return a line for each variant against the baseline."""
    labels = [one.label for one in result.plan.variants]
    told = []
    for one in result.gains:
        if one.ratio is None:
            continue
        with_size = f" with {with_processes(one.processes)}" if one.processes else ""
        pairs = f", {one.pairs} pairs of searches side by side" if one.pairs else ""
        told.append(
            f"{labels[one.variant]} against {labels[0]}{with_size}: {factor(one)} the capacity, "
            f"{one.verdict} (margin ±{result.plan.margin:.0%}{pairs})"
        )
    return told


def law_lines(law: ScalabilityResult) -> list[str]:
    """Return what is known of a variant over numbers of processes."""
    if law.unavailable:
        return [f"{law.label}: no scalability law: {law.unavailable}"]
    peak = f"; it falls beyond {law.peak_processes:.0f} processes" if law.peak_processes else ""
    law_itself = (
        f"{law.label}: one process serves {rate(law.rate_one_rps or 0.0)}/s, "
        f"contention {law.contention:.1%}, coherency {law.coherency:.2%} (Universal Scalability Law){peak}"
    )
    lines = [law_itself]
    needed = law.needed
    if needed is not None:
        if needed.needed is None:
            lines.append(f"{rate(needed.rps)}/s is never reached, as far as the fit can tell")
        else:
            high = "more than can be told" if needed.high is None else str(needed.high)
            lines.append(
                f"{rate(needed.rps)}/s needs {with_processes(needed.needed)} "
                f"(95% interval {needed.low if needed.low is not None else 'never'} to {high})"
            )
    if law.caution:
        lines.append(f"caution: {law.caution}")
    return lines


def pictures(result: CapacityResult) -> list[Picture]:
    """Return the response times against rates of every variant and number of processes."""
    found = []
    for one in result.estimates:
        own = [
            window
            for window in result.windows
            if (window.variant, window.processes) == (one.variant, one.processes)
        ]
        if own:
            size = f", {with_processes(one.processes)}" if one.processes else ""
            name, limit_us = shown(result)
            found.append(Picture(f"{one.label}{size}: {name} by rate", one.processes, limit_us, binned(own)))
    return found


def shown(result: CapacityResult) -> tuple[str, float | None]:
    """Return the name of the time that pictures show, and its limit in microseconds."""
    for text in result.plan.objective:
        for one in parse_thresholds(text):
            if one.measure == "quantile":
                name = f"p{one.quantile * 100:g}"
                return (f"{one.endpoint}: {name}" if one.endpoint else name), one.limit
    return "p99", None


def bar(row: PictureRow, picture: Picture) -> str:
    """Return a bar of a log scale, with a mark where the limit is."""
    values = [one.latency_us for one in picture.rows if one.latency_us] + [picture.limit_us or 0.0]
    top_us = OFF_SCALE * picture.limit_us if picture.limit_us else max(values)
    low_us = min([value for value in values if value > 0] or [1.0]) / 2
    place = _place(row.latency_us or top_us, low_us, top_us)
    cells = ["█" if at < place else " " for at in range(BAR)]
    if picture.limit_us:
        cells[min(BAR - 1, _place(picture.limit_us, low_us, top_us))] = "│"
    return "".join(cells)


def latency(row: PictureRow, picture: Picture) -> str:
    """Return a response time in words; off the scale it is told as such."""
    if row.latency_us is None:
        return "no end" if row.worst != "invalid" else "–"
    if picture.limit_us and row.latency_us > OFF_SCALE * picture.limit_us:
        return f"> {microseconds(OFF_SCALE * picture.limit_us)}"
    return microseconds(row.latency_us)


def _place(us: float, low_us: float, top_us: float) -> int:
    share = math.log(max(us, low_us) / low_us) / math.log(top_us / low_us)
    return round(BAR * min(1.0, share))


def binned(windows: Sequence[WindowResult]) -> list[PictureRow]:
    """Return windows by rate, those that are near each other on a log scale together."""
    if not windows:
        return []
    ordered = sorted(windows, key=lambda one: one.rate_rps)
    spread = math.log(ordered[-1].rate_rps / ordered[0].rate_rps)
    width = max(spread / (ROWS - 1), math.log(1.03))
    bins: dict[int, list[WindowResult]] = {}
    for one in ordered:
        bins.setdefault(round(math.log(one.rate_rps / ordered[0].rate_rps) / width), []).append(one)
    return [_picture_row(each) for each in bins.values()]


def _picture_row(windows: Sequence[WindowResult]) -> PictureRow:
    counts = Counter(one.trial for one in windows)
    valid = [one for one in windows if one.trial != "invalid"]
    values = [one.latency_us if one.latency_us is not None else math.inf for one in valid]
    middle = statistics.median_low(values) if values else math.inf
    return PictureRow(
        rate_rps=statistics.geometric_mean([one.rate_rps for one in windows]),
        latency_us=middle if math.isfinite(middle) else None,
        trials=", ".join(f"{count} {name}" for name, count in sorted(counts.items())),
        worst=counts.most_common(1)[0][0],
    )
