"""The page of a run that goes on: it updates itself, and ends as the finished report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from msgspec.structs import replace

from loadstone import __version__
from loadstone.record.going import Going, LoadGoing, SearchGoing
from loadstone.record.result import Contrast
from loadstone.report import capacity_live_page, frame, going, load_live_page, wording
from loadstone.report.charts import forest

State = Going | LoadGoing | SearchGoing
"""What a run of any kind has come to."""


@dataclass(frozen=True)
class Narrowing:
    """One metric, look by look."""

    title: str
    contrast: Contrast
    axis: Markup
    lines: list[tuple[going.LookLine, Markup]]


def render(state: State) -> str:
    """Return the whole page."""
    style, script = _style(), _script()
    page: str = (
        frame.environment()
        .get_template("live.html.j2")
        .render(
            title=title(state),
            version=__version__,
            policy=policy(),
            style=style,
            script=script,
            body=Markup(body(state)),  # noqa: S704 - a template's own output
        )
    )
    return page


def title(state: State) -> str:
    """Return the window's title."""
    named = state.plan if isinstance(state, LoadGoing) else state
    return f"Running: {named.title}" if named and named.title else "Starting"


def said(state: State) -> str:
    """Return what a screen reader is told: a look, a threshold that broke, a capacity; nothing in between."""
    if isinstance(state, SearchGoing):
        return capacity_live_page.said(state)
    if isinstance(state, LoadGoing):
        broken = [one.text for one in state.thresholds if one.status == "broken"]
        return f"Broken: {'; '.join(broken)}" if broken else ""
    if not state.contrasts or state.elapsed_s != state.looked_s:
        return ""
    told = [
        f"{going.metric_name(state, one)} {wording.ends_in_words(one)}"
        for one in state.contrasts
        if one.effect is not None
    ]
    return f"After {state.measured} generations: {'; '.join(told)}"


def body(state: State) -> str:
    """Return what changes of the page: the content of its `main`."""
    if isinstance(state, LoadGoing):
        return load_live_page.body(state)
    return capacity_live_page.body(state) if isinstance(state, SearchGoing) else _comparison(state)


def _comparison(state: Going) -> str:
    key = next(
        (one for one in state.contrasts if one.effect is not None and one.effect.kind == "ratio"), None
    )
    text: str = (
        frame.environment()
        .get_template("live/main.html.j2")
        .render(
            going=state,
            key=key,
            chart=forest.large(key) if key else Markup(""),
            remaining=going.remaining(state),
            narrowing=[_narrowing(state, one) for one in state.contrasts if one.effect is not None],
            missing=[
                (going.metric_name(state, one), wording.unavailable(one))
                for one in state.contrasts
                if not one.available
            ],
            metric_name=going.metric_name,
        )
    )
    return text


def policy() -> str:
    """Return the content security policy: as of every page, and updates from where the page came from."""
    return f"{frame.policy(_style(), _script())}; connect-src 'self'"


def _narrowing(state: Going, contrast: Contrast) -> Narrowing:
    looks = going.look_lines(contrast)
    drawn = [replace(contrast, effect=one.effect, verdict=one.verdict) for one in looks]
    scale = forest.common_scale(drawn)
    return Narrowing(
        title=going.metric_name(state, contrast),
        contrast=contrast,
        axis=forest.axis(scale) if scale else Markup(""),
        lines=[
            (look, forest.row(one, scale, contrast.margin)) for look, one in zip(looks, drawn, strict=True)
        ],
    )


def _style() -> Markup:
    return frame.asset("report.css")


def _script() -> Markup:
    return Markup("\n").join((frame.asset("report.js"), frame.asset("live.js")))
