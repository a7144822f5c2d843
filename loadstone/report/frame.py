"""What every page shares: one self-contained file, no network, no inline style, code named by its hash."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadstone.report import controls, facts, price, profile, quantities, safe, selection, slowest, wording
from loadstone.report.charts import forest, generations, percentiles

MOST_BYTES = 1_500_000
"""Size of a page; where the JSON would make it larger, the page does without and says so."""
_FOR_SCRIPT = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


@dataclass(frozen=True)
class Frame:
    """What is around the sections of a page."""

    title: str
    """Of the window."""
    subject: str
    """What the page opens with: verdict, result."""
    kind: str
    """Class of the body."""
    folder: str
    """Of templates: one a section, and `hero`."""
    sections: Mapping[str, str]
    """Name and title of those that have something to show, in the order of the page."""
    data_file: str
    """The result beside the page."""
    id: str
    started_at: str
    version: str
    csv: str = ""
    """The numbers as a table, for spreadsheets; empty: none."""


class Planned(Protocol):
    """The plan of a run: what its page needs of it."""

    @property
    def loadstone_version(self) -> str:
        """Which version made the run."""
        ...


class Run(Protocol):
    """A result that bears its own id, and the plan that it followed."""

    @property
    def id(self) -> str:
        """Of the run."""
        ...

    @property
    def started_at(self) -> str:
        """ISO 8601."""
        ...

    @property
    def plan(self) -> Planned:
        """What was decided before."""
        ...


def around(
    result: Run, folder: str, title: str, titles: Mapping[str, str], data_file: str, **has: bool
) -> Frame:
    """Return the frame of a run's page.

    Args:
        result: of the run.
        folder: of the page's templates.
        title: of the window.
        titles: of the sections, in their order.
        data_file: the result beside the page.
        has: whether a section has something to show; those not named have.
    """
    return Frame(
        title=title,
        subject="result",
        kind=f"{folder}-page",
        folder=folder,
        sections={name: title for name, title in titles.items() if has.get(name, True)},
        data_file=data_file,
        id=result.id,
        started_at=result.started_at,
        version=result.plan.loadstone_version,
    )


def render(frame: Frame, result: msgspec.Struct, markdown: str, **shown: object) -> str:
    """Return a page about `result`, with the result itself embedded where it fits.

    Args:
        frame: what is around the sections.
        result: what the page is about; its templates call it `result`.
        markdown: the same in Markdown, to be copied.
        shown: what else its templates lay out.
    """
    text = _render(frame, result, markdown, shown, for_script(msgspec.json.encode(result).decode()))
    if len(text.encode()) <= MOST_BYTES:
        return text
    return _render(frame, result, markdown, shown, None)


def _render(
    frame: Frame, result: msgspec.Struct, markdown: str, shown: Mapping[str, object], data: Markup | None
) -> str:
    style, script = asset("report.css"), asset("report.js")
    return (
        environment()
        .get_template("frame.html.j2")
        .render(
            shown,
            frame=frame,
            result=result,
            policy=policy(style, script),
            style=style,
            script=script,
            data=data,
            table=for_script(json.dumps(frame.csv)) if frame.csv and data is not None else None,
            markdown=for_script(json.dumps(markdown)),
        )
    )


def for_script(text: str) -> Markup:
    """Return JSON so that nothing in it can end the element that holds it."""
    return Markup(text.translate(_FOR_SCRIPT))  # noqa: S704 - has no < left


def policy(style: str, script: str) -> str:
    """Return the content security policy: this style, this script, nothing from anywhere."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{digest(style)}'",
            f"script-src '{digest(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def digest(text: str) -> str:
    """Return the hash of an inline element as a policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def asset(name: str) -> Markup:
    """Return a file of `assets/`, ours and therefore trusted."""
    text = resources.files("loadstone.report").joinpath("assets", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file


@cache
def environment() -> Environment:
    """Return the environment of all pages: everything escaped, nothing undefined."""
    environment = Environment(
        loader=PackageLoader("loadstone.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters.update(
        name=safe.name,
        block=safe.block,
        quantity=quantities.quantity,
        bytes=quantities.size,
        count=quantities.count,
        share=quantities.share,
        duration=quantities.duration,
        moment=quantities.moment,
        identity=id,
        capitalize_first=_capitalized,
    )
    environment.globals.update(
        wording=wording,
        controls=controls,
        selection=selection,
        quantities=quantities,
        facts=facts,
        price=price,
        profile=profile,
        slowest=slowest,
        forest=forest,
        percentiles=percentiles,
        generations=generations,
    )
    return environment


def _capitalized(text: str) -> str:
    """Return `text` with a large first letter; p95 keeps its small one."""
    return text if text[1:2].isdigit() else text[:1].upper() + text[1:]


def _harmless(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    """Write out control and bidirectional characters of every text that a template prints."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return safe.visible(value, lines=True)
    return value
