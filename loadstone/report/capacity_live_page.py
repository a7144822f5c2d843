"""What the page of a search for capacity shows while it goes on."""

from __future__ import annotations

from loadstone.record.going import SearchGoing
from loadstone.report import frame, quantities
from loadstone.verdict import capacity_words as words

SHOWN = 60
"""Windows in the table, the latest first."""


def body(state: SearchGoing) -> str:
    """Return the content of the page's `main`."""
    text: str = (
        frame.environment()
        .get_template("live/capacity.html.j2")
        .render(
            state=state,
            spent=quantities.significant(100 * min(1.0, state.share), 2),
            latest=state.windows[: -SHOWN - 1 : -1],
            earlier=max(0, len(state.windows) - SHOWN),
            rate=words.rate,
        )
    )
    return text


def said(state: SearchGoing) -> str:
    """Return what a screen reader is told, once: what a search found that has just ended."""
    return ": ".join(state.found[-1]) if state.just_found else ""
