"""What the page of a run under offered load shows while it goes on."""

from __future__ import annotations

from loadstone.record.going import LoadGoing
from loadstone.report import frame, load_page, quantities
from loadstone.report import load_summary as summary


def body(state: LoadGoing) -> str:
    """Return the content of the page's `main`."""
    text: str = (
        frame.environment()
        .get_template("live/load.html.j2")
        .render(
            result=state,
            summary=summary,
            charts=load_page.draw_charts(state.plan, state.seconds, state.thresholds),
            highlights=_highlights(state),
        )
    )
    return text


def _highlights(state: LoadGoing) -> list[tuple[str, str, str]]:
    """Return (name, value, note) of what people look for first; nothing before the first second."""
    overall, plan = state.overall, state.plan
    if overall is None or plan is None or not state.seconds:
        return []
    last = state.seconds[-1]
    planned = "" if last.planned is None else f"{last.planned:.0f} arrivals planned"
    waiting = f"{state.backlog:,} arrivals wait" if state.backlog else "nothing waits"
    return [
        ("Measuring for", quantities.duration(state.elapsed_s), f"of {quantities.duration(plan.duration_s)}"),
        *load_page.response_times(overall),
        ("Last second", f"{last.requests:,} requests", planned),
        load_page.failed_share(overall),
        ("Users", f"{state.users:,}", waiting if plan.model == "open" else ""),
    ]
