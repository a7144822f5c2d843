"""The page of a load run: self-contained, like that of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.folder import LOAD_RESULT
from loadstone.record.load_record import LoadPlan
from loadstone.record.load_result import EndpointLoad, LoadCurve, LoadResult, SecondLoad, ThresholdResult
from loadstone.record.observations import LABEL_OF_CLASS
from loadstone.record.result import CheckStatus, Distribution
from loadstone.report import frame, load_reports, quantities, safe
from loadstone.report import load_summary as summary
from loadstone.report.charts import percentiles, seconds

TITLES = {
    "thresholds": "Thresholds",
    "latency": "Latency",
    "time": "Over time",
    "endpoints": "Endpoints",
    "outcomes": "Outcomes",
    "workers": "Workers",
    "checks": "Checks",
    "circumstances": "Run and machine",
}
BADGES = {"KEPT": "improved", "DONE": "equivalent", "BROKEN": "regressed", "INVALID": "invalid"}
"""Colours of the outcome, in those of verdicts."""
TIMES = {
    "service": "service time, from the send",
    "response": "response time, from the planned start",
    "lag": "lag, the send behind its plan",
}
"""In the order of the pictures, the one that decides above the one that flatters."""
CLOSED_TIMES = {"response": "response time"}
"""Nothing is planned in the closed model, so that the three are one."""


@dataclass(frozen=True)
class Charts:
    """What the run looked like over time."""

    rates: Markup
    times: Markup
    events: list[seconds.Event]


def render(result: LoadResult) -> str:
    """Return the page of `result`."""
    spreads = _spreads(result)
    charts = draw_charts(result.plan, result.seconds, result.thresholds)
    around = frame.around(
        result,
        "load",
        f"{summary.word(result).capitalize()}: {result.plan.title}",
        TITLES,
        LOAD_RESULT,
        thresholds=bool(result.thresholds),
        latency=bool(spreads),
        time=bool(charts.rates),
        endpoints=bool(result.endpoints),
        outcomes=bool(result.overall.requests),
        workers=bool(summary.worker_lines(result)),
        checks=bool(result.checks),
    )
    return frame.render(
        around,
        result,
        load_reports.markdown(result),
        summary=summary,
        word=summary.word(result),
        badge=BADGES.get(summary.word(result), "inconclusive"),
        highlights=_highlights(result),
        concerns=[one for one in result.checks if one.status is not CheckStatus.OK],
        spreads=spreads,
        charts=charts,
        outcomes=_outcomes(result),
    )


def _highlights(result: LoadResult) -> list[tuple[str, str, str]]:
    """Return (name, value, note) of what people look for first."""
    overall, found = result.overall, response_times(result.overall)
    planned = result.due / result.plan.duration_s if result.plan.model == "open" else None
    note = "" if planned is None else f"{quantities.significant(planned)} arrivals/s planned"
    found.append(("Requests", f"{quantities.significant(overall.rps)}/s", note))
    found.append(failed_share(overall))
    if result.cpu_per_request_s is not None:
        found.append(("CPU per request", quantities.quantity(result.cpu_per_request_s, "s"), "all processes"))
    return found


def response_times(overall: EndpointLoad) -> list[tuple[str, str, str]]:
    """Return (name, value, note) of the quantiles that are known."""
    times = dict(overall.response.values)
    return [
        (percentiles.stop_name(q), summary.duration(times[q]), "response time")
        for q in summary.SHOWN
        if times.get(q) is not None
    ]


def failed_share(overall: EndpointLoad) -> tuple[str, str, str]:
    """Return (name, value, note) of the requests that failed."""
    share = quantities.share(overall.errors / overall.requests) if overall.requests else "none sent"
    return "Failed", share, f"{overall.errors:,} of {overall.requests:,}"


def _spreads(result: LoadResult) -> list[percentiles.Spread]:
    names = list(dict.fromkeys(one.endpoint for one in result.curves))
    if len(result.endpoints) == 1:
        names = [name for name in names if name is None]
    told = TIMES if result.plan.model == "open" else CLOSED_TIMES
    found = []
    for name in names:
        curves = {one.time: one for one in result.curves if one.endpoint == name}
        lines = [
            percentiles.Line(place, label, _distribution(curves[time]))
            for place, (time, label) in enumerate(told.items(), start=0 if len(told) > 1 else 1)
            if time in curves
        ]
        title = "All endpoints together" if name is None else safe.name(name)
        found.append(percentiles.spread(title, lines))
    return [one for one in found if one.chart]


def _distribution(curve: LoadCurve) -> Distribution:
    return Distribution(
        endpoint=curve.endpoint,
        variant=curve.time,
        count=curve.count,
        mean_us=curve.mean_us,
        quantiles=curve.quantiles,
    )


def draw_charts(
    plan: LoadPlan | None, brought: Sequence[SecondLoad], thresholds: Iterable[ThresholdResult]
) -> Charts:
    """Return what a run looks like over time: empty before anything was brought, or planned."""
    if plan is None or not brought:
        return Charts(Markup(""), Markup(""), [])
    events: list[seconds.Event] = [
        (float(one.at_s), f"{one.text} broke") for one in thresholds if summary.broke_at(one)
    ]
    last = brought[-1]
    if plan.model == "open" and last.start_s + last.width_s > plan.duration_s:
        events.append((plan.duration_s, "the plan ended; answers that came later follow"))
    return Charts(
        rates=seconds.draw_rates(
            brought,
            events,
            "Requests per second over time; the numbers are in the table below",
            plan.duration_s,
        ),
        times=seconds.draw_times(
            brought, events, "Response time over time; the numbers are in the table below"
        ),
        events=events,
    )


def _outcomes(result: LoadResult) -> list[tuple[str, str, int, float]]:
    """Return (endpoint, outcome, requests, share of the endpoint)."""
    return [
        (one.endpoint or "", LABEL_OF_CLASS.get(outcome, outcome), count, count / one.requests)
        for one in result.endpoints
        for outcome, count in one.outcomes.items()
    ]
