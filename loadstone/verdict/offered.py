"""The result of a load run, from its plan and recordings alone."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from loadstone.config.rates import parse_rate
from loadstone.config.thresholds import parse_thresholds
from loadstone.errors import ExitCode
from loadstone.gate.thresholds import Finding, Status, Tally, Watch, close, feed, merge, watch_all
from loadstone.record.histogram import Histogram, Quantile, edges_us
from loadstone.record.load_record import BlockLine, LoadEndLine, LoadPlan
from loadstone.record.load_result import (
    LOAD_SCHEMA_VERSION,
    EndpointLoad,
    LoadResult,
    Quantiles,
    SecondLoad,
    ThresholdResult,
)
from loadstone.record.observations import Outcome
from loadstone.record.recording import Cells, Recording, Time, Window
from loadstone.record.result import CheckStatus, Machine, RunStatus
from loadstone.stats.estimators import quantile_available
from loadstone.verdict.checks.surroundings import others_check
from loadstone.verdict.load_checks import load_checks
from loadstone.verdict.load_curves import load_curves
from loadstone.workload.arrivals import arrivals_per_second

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
CLASS_OF = {
    Outcome.OK: "ok",
    Outcome.CHECK_FAILED: "check failed",
    Outcome.REDIRECT: "3xx",
    Outcome.TOO_MANY_REQUESTS: "429",
    Outcome.CLIENT_ERROR: "4xx",
    Outcome.SERVER_ERROR: "5xx",
    Outcome.TIMEOUT: "timeout",
    Outcome.TRANSPORT_ERROR: "transport",
    Outcome.NOT_SENT: "not sent",
}
"""In the words of thresholds."""
WELL = (Outcome.OK, Outcome.REDIRECT)
_DISPATCH = "(dispatch)"


def judge_load(
    plan: LoadPlan,
    block: BlockLine,
    requests: Recording,
    schedule: Recording,
    findings: Sequence[Finding],
    end: LoadEndLine,
    run: tuple[str, str],
    machine: Machine,
) -> LoadResult:
    """Return the result of a load run.

    Args:
        plan: what was decided.
        block: how it went.
        requests: what the clients recorded.
        schedule: iterations and dispatch lags.
        findings: of the thresholds.
        end: why it ended.
        run: its id, and when it started.
        machine: on which it ran.
    """
    checks = load_checks(plan, block, schedule, findings)
    checks += [others_check(end.other_runs)] if end.other_runs else []
    invalid = end.status == RunStatus.INVALID or any(one.status is CheckStatus.FAIL for one in checks)
    total = requests.total
    sent = total - requests.count(outcomes=(Outcome.NOT_SENT,))
    names = sorted({key.endpoint for key in requests.cells})
    return LoadResult(
        schema_version=LOAD_SCHEMA_VERSION,
        id=run[0],
        started_at=run[1],
        finished_at=end.at,
        status=str(RunStatus.INVALID) if invalid else end.status,
        stop_reason=end.stop_reason,
        plan=plan,
        saturated=block.not_sent > 0,
        due=block.due,
        begun=block.begun,
        not_sent=block.not_sent,
        unfinished=block.unfinished,
        users=block.users,
        backlog=block.backlog,
        duration_s=block.duration_s,
        cpu_per_request_s=block.server_cpu_s / sent if block.server_cpu_s is not None and sent else None,
        overall=endpoint_load(requests, None, block.duration_s),
        endpoints=[endpoint_load(requests, name, block.duration_s) for name in names],
        iterations=[
            endpoint_load(schedule, name, block.duration_s)
            for name in sorted({key.endpoint for key in schedule.cells} - {_DISPATCH})
        ],
        seconds=stretches(requests, planned_per_second(plan)),
        thresholds=[threshold_result(one) for one in findings],
        checks=checks,
        machine=machine,
        exit_code=int(_exit_code(findings, invalid=invalid)),
        lost=block.lost,
        workers=block.workers,
        curves=load_curves(requests, names),
    )


def tallies(cells: Cells) -> dict[str, Tally]:
    """Return what a stretch of time brought, endpoint by endpoint, as thresholds take it."""
    outcomes: dict[str, Counter[str]] = {}
    times: dict[str, dict[str, Counter[float]]] = {}
    for key, three in cells.items():
        outcomes.setdefault(key.endpoint, Counter())[CLASS_OF[key.outcome]] += three.service.total
        if key.outcome in WELL:
            mine = times.setdefault(key.endpoint, {name: Counter() for name in three._fields})
            for name, histogram in zip(three._fields, three, strict=True):
                mine[name].update(_values(histogram))
    return {name: Tally(counts, times.get(name, {})) for name, counts in outcomes.items()}


class Gate:
    """Feeds thresholds with each second that is over, as the recording grows.

    What ends after the plan, in the drain, belongs to the plan's last second: every request
    of the plan counts, and no second counts for which nothing was planned.
    """

    def __init__(self, plan: LoadPlan) -> None:
        thresholds = [one for text in plan.thresholds for one in parse_thresholds(text)]
        self._watches: list[Watch] = watch_all(thresholds)
        self.planned = planned_per_second(plan)
        self._duration_s = plan.duration_s
        self._fed = 0
        self._rest: list[dict[str, Tally]] = []

    def feed(self, recording: Recording, until_s: int) -> str:
        """Take the seconds before `until_s`; return the threshold that wants the run to end, or nothing."""
        for second in range(self._fed, until_s):
            brought = tallies(recording.between(second, second + 1).cells)
            self._fed = second + 1
            if second >= int(self._duration_s):
                self._rest.append(brought)
                continue
            planned = self.planned[second] if second < len(self.planned) else 0.0
            if wanting := feed(self._watches, brought, planned):
                return wanting[0].threshold.text
        return ""

    def close(self, recording: Recording, *, cut: bool) -> None:
        """Take all that is left; `cut`: the run ended before its plan did."""
        whole = int(self._duration_s)
        if not cut:
            self.feed(recording, whole)
        self._rest.append(tallies(recording.between(self._fed, sys.maxsize).cells))
        names = {name for one in self._rest for name in one}
        rest = {name: merge(one[name] for one in self._rest if name in one) for name in names}
        if cut:
            close(self._watches, rest)
        else:
            close(self._watches, rest, sum(self.planned[whole:]), self._duration_s - whole)

    def findings(self) -> list[Finding]:
        """Return how the thresholds fared."""
        return [watch.finding() for watch in self._watches]


def planned_per_second(plan: LoadPlan) -> list[float]:
    """Return the arrivals planned in each second; empty for the closed model."""
    if plan.model == "closed":
        return []
    return [float(one) for one in arrivals_per_second(parse_rate(plan.rate), 0.0, plan.duration_s)]


def _values(histogram: Histogram) -> dict[float, int]:
    """Return the times of a histogram, each by its bucket's middle."""
    return {
        sum(edges_us(bucket)) / 2: count
        for bucket, count in zip(histogram.buckets.tolist(), histogram.counts.tolist(), strict=True)
    }


def endpoint_load(recording: Recording, name: str | None, duration_s: float) -> EndpointLoad:
    """Return what one endpoint saw in `duration_s` seconds; None: all together."""
    counts: Counter[Outcome] = Counter()
    for key, times in recording.cells.items():
        if name in {None, key.endpoint}:
            counts[key.outcome] += times.service.total
    requests = sum(counts.values())
    return EndpointLoad(
        endpoint=name,
        requests=requests,
        errors=sum(count for outcome, count in counts.items() if outcome.failed),
        outcomes={CLASS_OF[outcome]: counts[outcome] for outcome in sorted(counts)},
        rps=requests / duration_s if duration_s else 0.0,
        response=_quantiles(recording, name, "response"),
        service=_quantiles(recording, name, "service"),
        lag=_quantiles(recording, name, "lag"),
    )


def _quantiles(recording: Recording, name: str | None, time: Time) -> Quantiles:
    histogram = recording.histogram(time, endpoint=name, outcomes=WELL)
    total = histogram.total + recording.count(endpoint=name, outcomes=(Outcome.TIMEOUT,))
    return Quantiles(
        mean_us=_number(histogram.mean_us),
        max_us=float(histogram.max_us) if histogram.total else None,
        values=[
            (q, _known(recording.quantile(q, time, endpoint=name)))
            for q in QUANTILES
            if quantile_available(total, q)
        ],
    )


def _known(quantile: Quantile) -> float | None:
    """Return a quantile, or None where it falls among requests that were given up."""
    return None if math.isinf(quantile.high_us) else _number(quantile.value_us)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def stretches(
    recording: Recording,
    planned: Sequence[float],
    until_s: int = 0,
    known: dict[Window, SecondLoad] | None = None,
) -> list[SecondLoad]:
    """Return every stretch of time, those in which nothing ended too: a stall is no gap.

    Args:
        recording: what ended.
        planned: arrivals in each second of the run.
        until_s: seconds up to here are told even where nothing ended.
        known: stretches that were told before and have not changed; new ones are added.
    """
    known = {} if known is None else known
    found: list[SecondLoad] = []
    ended_s = 0
    for window in sorted(recording.windows):
        found += [_second(at, 1, Recording(), planned) for at in range(ended_s, window.start_s)]
        if window not in known:
            known[window] = _second(*window, Recording(recording.windows[window]), planned)
        found.append(known[window])
        ended_s = window.start_s + window.width_s
    return found + [_second(at, 1, Recording(), planned) for at in range(ended_s, until_s)]


def _second(start_s: int, width_s: int, part: Recording, planned: Sequence[float]) -> SecondLoad:
    return SecondLoad(
        start_s=start_s,
        width_s=width_s,
        planned=sum(planned[start_s : start_s + width_s]) if planned else None,
        requests=part.total,
        errors=part.count(outcomes=[one for one in Outcome if one.failed]),
        p50_us=_known(part.quantile(0.5)),
        p99_us=_known(part.quantile(0.99)),
    )


def threshold_result(finding: Finding) -> ThresholdResult:
    """Return a finding as results keep it."""
    worst = finding.worst
    return ThresholdResult(
        text=finding.threshold.text,
        status=str(finding.status),
        worst=worst if worst is not None and math.isfinite(worst) else None,
        endless=worst is not None and math.isinf(worst),
        unit=str(finding.threshold.unit),
        at_s=finding.at_s,
        requests=finding.requests,
    )


def _exit_code(findings: Iterable[Finding], *, invalid: bool) -> ExitCode:
    """An invalid run proves nothing; a threshold that could not be told is no pass."""
    if invalid:
        return ExitCode.INVALID
    statuses = {finding.status for finding in findings}
    if Status.BROKEN in statuses:
        return ExitCode.REGRESSED
    return ExitCode.INVALID if Status.UNKNOWN in statuses else ExitCode.OK
