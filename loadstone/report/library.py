"""A folder of runs as a static site: an index to filter, trends, and any two runs side by side.

Every run is drawn anew from its result. Runs are put side by side only where kind,
machine and workload are alike; else the page says what keeps them apart.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from loadstone.errors import ConfigurationError
from loadstone.record.folder import PAGE, write_atomically
from loadstone.report import frame, safe
from loadstone.report.cards import MAKERS, Card, read_card
from loadstone.report.charts import trend

INDEX = "index.html"
MOST_MEASURES = 60
"""Of each run, those that can be put beside another run's on the index page."""
MOST_TRENDS = 24
"""Numbers of one experiment whose course is drawn."""
LEAST_RUNS = 2
"""Runs from which a course can be drawn."""


@dataclass(frozen=True)
class Shelved:
    """One run of the library."""

    card: Card
    page: str
    """Its page, seen from the index."""


@dataclass(frozen=True)
class Course:
    """One number over the runs of one experiment."""

    title: str
    chart: Markup
    runs: int


@dataclass(frozen=True)
class Trend:
    """The runs of one experiment on one machine."""

    title: str
    where: str
    courses: list[Course]


@dataclass(frozen=True)
class Skipped:
    """A folder that is not in the library, and why."""

    name: str
    why: str


def build_site(folders: Sequence[Path], target: Path) -> tuple[list[Shelved], list[Skipped]]:
    """Write the site of the runs in `folders` to `target`; return what it shows and what it leaves out.

    Raises:
        ConfigurationError: there is no run, or `target` cannot be written.
    """
    shelved, skipped = _shelve(folders)
    if not shelved:
        raise ConfigurationError(
            "there is no run to show",
            cause="; ".join(f"{one.name}: {one.why}" for one in skipped[:3])
            or "no folder holds the result of a run",
            remedy="name a folder of runs, such as reports/",
        )
    try:
        for one in shelved:
            (target / one.page).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target / one.page, one.card.render().encode())
        write_atomically(target / INDEX, _index(shelved, skipped).encode())
    except OSError as error:
        raise ConfigurationError(
            f"the site cannot be written to {target}",
            cause=str(error),
            remedy="name another folder with --output",
        ) from error
    return shelved, skipped


def find_results(folder: Path) -> list[Path]:
    """Return the run folders in `folder`, or `folder` itself where it is one; oldest name first."""
    if any((folder / name).is_file() for name in MAKERS):
        return [folder]
    return sorted({path.parent for name in MAKERS for path in folder.glob(f"*/{name}")})


def _shelve(folders: Iterable[Path]) -> tuple[list[Shelved], list[Skipped]]:
    found: dict[str, Shelved] = {}
    skipped = []
    for folder in folders:
        try:
            card = read_card(folder)
        except ConfigurationError as error:
            skipped.append(Skipped(folder.name, error.problem))
            continue
        if card.id in found:
            skipped.append(Skipped(folder.name, "another folder holds the same run"))
            continue
        found[card.id] = Shelved(card, f"runs/{len(found) + 1}/{PAGE}")
    ordered = sorted(found.values(), key=lambda one: one.card.started_at, reverse=True)
    return ordered, skipped


def _index(shelved: list[Shelved], skipped: list[Skipped]) -> str:
    style = Markup("\n").join((frame.asset("report.css"), frame.asset("library.css")))
    script = Markup("\n").join((frame.asset("report.js"), frame.asset("library.js")))
    page: str = (
        frame.environment()
        .get_template("library.html.j2")
        .render(
            runs=shelved,
            skipped=skipped,
            trends=_trends(shelved),
            words=sorted({one.card.word for one in shelved}),
            kinds=sorted({one.card.kind for one in shelved}),
            policy=frame.policy(style, script),
            style=style,
            script=script,
            data=frame.for_script(json.dumps([_for_comparing(one) for one in shelved], allow_nan=False)),
        )
    )
    return page


def _for_comparing(one: Shelved) -> dict[str, Any]:
    """Return what the index page needs to put a run beside another."""
    card = one.card
    return {
        "title": safe.name(card.title),
        "kind": card.kind,
        "started": card.started_at,
        "page": one.page,
        "alike": {name: safe.name(value) for name, value in card.identity.items()},
        "measures": [
            {
                "metric": each.metric,
                "endpoint": each.endpoint,
                "variant": each.variant,
                "text": each.text,
                "interval": each.interval,
                "level": each.value if each.unit != "change" and math.isfinite(each.value) else None,
                "low": each.low,
                "high": each.high,
            }
            for each in card.measures[:MOST_MEASURES]
        ],
    }


def _trends(shelved: Sequence[Shelved]) -> list[Trend]:
    """Return the course of every experiment that was run more than once on one machine, the newest first."""
    groups: dict[tuple[str, ...], list[Card]] = {}
    for one in shelved:
        key = (one.card.title, *one.card.identity.values())
        groups.setdefault(key, []).append(one.card)
    found = []
    for cards in groups.values():
        card = cards[0]
        courses = _courses(cards[::-1])
        if courses:
            conditions = ", ".join(f"{name} {value}" for name, value in card.conditions.items())
            machine = f"{card.machine.cpu_model} ({card.machine.fingerprint})"
            where = f"{card.kind}, {card.scenario}, {card.size}, {conditions}, {machine}"
            found.append(Trend(safe.name(card.title), safe.name(where, 300), courses))
    return found


def _courses(cards: Sequence[Card]) -> list[Course]:
    series: dict[tuple[str, str, str], list[trend.Point]] = {}
    for card in cards:
        for one in card.measures:
            if one.trend:
                series.setdefault(one.key, []).append((card.started_at, one))
    long_enough = {
        key: points
        for key, points in series.items()
        if len(points) >= LEAST_RUNS
        and (points[0][1].unit == "change" or any(one.value for _, one in points))
    }
    ordered = sorted(long_enough.items(), key=lambda item: item[0][1] != "")
    variants = {key[2] for key in long_enough}
    return [_course(key, points, len(variants) > 1) for key, points in ordered[:MOST_TRENDS]]


def _course(key: tuple[str, str, str], points: list[trend.Point], several: bool) -> Course:
    metric, endpoint, variant = key
    title = f"{metric}, {endpoint or 'all endpoints'}"
    if several:
        title = f"{metric}, {endpoint}, {variant}" if endpoint else f"{metric}, {variant}"
    return Course(title, trend.draw(points, f"{title} over {len(points)} runs"), len(points))
