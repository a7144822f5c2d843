"""The page of a run that goes on: it updates itself, and ends as the finished report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from msgspec.structs import replace

from loadstone import __version__
from loadstone.record.going import Going
from loadstone.record.result import Contrast
from loadstone.report import frame, going, wording
from loadstone.report.charts import forest


@dataclass(frozen=True)
class Narrowing:
    """One metric, look by look."""

    title: str
    contrast: Contrast
    axis: Markup
    lines: list[tuple[going.LookLine, Markup]]


def render(state: Going) -> str:
    """Return the whole page."""
    style, script = _style(), _script()
    page: str = (
        frame.environment()
        .get_template("live.html.j2")
        .render(
            title=state.title or "Starting",
            version=__version__,
            policy=policy(),
            style=style,
            script=script,
            body=Markup(body(state)),  # noqa: S704 - a template's own output
        )
    )
    return page


def body(state: Going) -> str:
    """Return what changes of the page: the content of its `main`."""
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
