"""Searches and windows read back from the sealed data: each search walked again, window by window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadstone.errors import MeasurementError
from loadstone.gate.thresholds import Finding, Status
from loadstone.record.capacity_record import (
    CapacityEndLine,
    CapacityPlan,
    CapacityPlanLine,
    GeneratorLine,
    SearchLine,
    WindowLine,
    read_capacity,
)
from loadstone.record.capacity_result import SearchResult, WindowResult
from loadstone.record.load_record import read_recording
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.stats.capacity import Limit, Search, Trial
from loadstone.verdict.capacity_window import (
    JudgedWindow,
    judge_window,
    parse_objective,
    shown_quantile,
)
from loadstone.verdict.capacity_words import rate

UNFINISHED = "unfinished"


@dataclass(frozen=True)
class WalkedWindow:
    """A window, judged, with what a report shows of it."""

    line: WindowLine
    judged: JudgedWindow
    result: WindowResult


@dataclass(frozen=True)
class WalkedSearch:
    """A search with its windows."""

    line: SearchLine
    search: Search
    windows: list[WalkedWindow] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether it came to an end."""
        return self.search.limit is not None


@dataclass(frozen=True)
class SealedCapacity:
    """Everything that a run sealed."""

    plan: CapacityPlan
    sendable_rps: float | None
    searches: list[WalkedSearch]
    end: CapacityEndLine | None


def begin_search(line: SearchLine, plan: CapacityPlan) -> Search:
    """Return the search that a line opens."""
    return Search(
        line.start_rps,
        line.least_rps,
        line.most_rps,
        resolution=plan.resolution,
        growth=line.growth,
        confirm=True,
    )


def read_sealed_capacity(folder: Path) -> SealedCapacity:
    """Return a run's sealed data, each window judged anew.

    Raises:
        MeasurementError: something is missing or was changed, or a window is not at
            the rate that its search asked for.
    """
    lines = read_capacity(folder)
    plan = next((line.plan for line in lines if isinstance(line, CapacityPlanLine)), None)
    if plan is None:
        raise MeasurementError(f"{folder} holds no search for capacity", cause="its journal has no plan")
    searches: dict[tuple[int, int], WalkedSearch] = {}
    sendable_rps, end = None, None
    for line in lines:
        if isinstance(line, GeneratorLine):
            sendable_rps = line.sendable_rps
        elif isinstance(line, SearchLine):
            searches[line.generation, line.variant] = WalkedSearch(line, begin_search(line, plan))
        elif isinstance(line, WindowLine):
            walked = _of(searches, line)
            requests = read_recording(folder, line.block.requests)
            schedule = read_recording(folder, line.block.schedule)
            take_window(walked, plan, line, requests, schedule)
        elif isinstance(line, CapacityEndLine):
            end = line
    return SealedCapacity(plan, sendable_rps, list(searches.values()), end)


def _of(searches: dict[tuple[int, int], WalkedSearch], line: WindowLine) -> WalkedSearch:
    found = searches.get((line.generation, line.variant))
    if found is None:
        raise MeasurementError("a window belongs to no search", cause=f"generation {line.generation}")
    return found


def take_window(
    walked: WalkedSearch, plan: CapacityPlan, line: WindowLine, requests: Recording, schedule: Recording
) -> JudgedWindow:
    """Judge a window and let its search go on; raises `MeasurementError` where it is not the search's."""
    if line.rate_rps != walked.search.next_rps:
        raise MeasurementError(
            "the windows do not follow from the search",
            cause=f"one was at {line.rate_rps:g}/s where the search asked for {walked.search.next_rps}",
        )
    judged = judge_window(plan, line, requests, schedule)
    walked.search.report(judged.trial)
    result = _window_result(walked.line, plan, line, judged, requests)
    walked.windows.append(WalkedWindow(line, judged, result))
    return judged


def search_result(walked: WalkedSearch) -> SearchResult:
    """Return what a report shows of a search."""
    search, line = walked.search, walked.line
    kept, broken = search.bracket
    invalid = [one for one in walked.windows if one.judged.trial is Trial.INVALID]
    return SearchResult(
        generation=line.generation,
        variant=line.variant,
        processes=line.processes,
        start_rps=line.start_rps,
        kept_rps=kept or None,
        broken_rps=broken if math.isfinite(broken) else None,
        limit=str(search.limit) if search.limit else UNFINISHED,
        capacity_rps=search.capacity_rps if search.limit else None,
        windows=len(walked.windows),
        invalid=len(invalid),
        reason=_reason(walked, invalid),
    )


def _reason(walked: WalkedSearch, invalid: Sequence[WalkedWindow]) -> str:
    limit, line = walked.search.limit, walked.line
    if limit is Limit.GENERATOR and invalid:
        return f"at {rate(invalid[-1].line.rate_rps)}/s {invalid[-1].judged.problems[0]}"
    if limit is Limit.CEILING and line.bound_by_generator:
        return f"this generator can send no more than {rate(line.most_rps)}/s faithfully"
    return {
        None: "it was cut off",
        Limit.CEILING: f"{rate(line.most_rps)}/s is the highest rate that was allowed",
        Limit.FLOOR: f"not even {rate(line.least_rps)}/s keeps the objective",
        Limit.TRIES: f"it did not settle within {len(walked.windows)} windows",
    }.get(limit, "")


def _window_result(
    search: SearchLine, plan: CapacityPlan, line: WindowLine, judged: JudgedWindow, requests: Recording
) -> WindowResult:
    block = line.block
    q, time, endpoint = shown_quantile(parse_objective(plan))
    latency = requests.quantile(q, time, endpoint=endpoint)
    span_s = max(block.duration_s, 1e-9)
    return WindowResult(
        generation=line.generation,
        variant=line.variant,
        processes=search.processes,
        rate_rps=line.rate_rps,
        seconds=line.seconds,
        trial=str(judged.trial),
        problems=list(judged.problems),
        broke=_broke(judged, requests.total),
        cut_short=bool(block.aborted),
        requests=requests.total,
        errors=sum(requests.count(outcomes=(one,)) for one in Outcome if one.failed),
        latency_us=latency.value_us if math.isfinite(latency.high_us) else None,
        lag_us=judged.lag_us if math.isfinite(judged.lag_us) else None,
        generator_cores=block.generator_cpu_s / span_s,
        server_cores=None if block.server_cpu_s is None else block.server_cpu_s / span_s,
        steal=block.steal,
    )


def _broke(judged: JudgedWindow, requests: int) -> list[str]:
    """Return the thresholds that a window broke, each with what was seen."""
    broken = [one for one in judged.findings if one.status is Status.BROKEN]
    names = {one.threshold.text for one in broken}
    return [_told(one) for one in broken] + [
        f"{text}: lost after {requests} requests" for text in judged.lost if text not in names
    ]


def _told(finding: Finding) -> str:
    worst = finding.worst
    if worst is None or math.isinf(worst):
        return f"{finding.threshold.text}: longer than any limit"
    scale, unit = {"us": (1e-3, " ms"), "share": (100.0, "%")}.get(str(finding.threshold.unit), (1.0, "/s"))
    return f"{finding.threshold.text}: {worst * scale:.4g}{unit}"
