"""A folder of runs as a static site: an index to filter, trends, and any two runs side by side.

Pages of runs are copied as they are. Runs are put side by side only where machine
and workload are alike; else the page says what keeps them apart.
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
from loadstone.record.folder import PAGE, RESULT, load_result, write_atomically
from loadstone.record.result import Contrast, Result
from loadstone.report import diff, frame, html, safe, selection, wording
from loadstone.report.charts import trend

INDEX = "index.html"
MOST_CONTRASTS = 60
"""Of each run, those that can be put beside another run's on the index page."""
MOST_TRENDS = 24
"""Endpoints of one experiment whose course is drawn."""
LEAST_RUNS = 2
"""Runs from which a course can be drawn."""


@dataclass(frozen=True)
class Shelved:
    """One run of the library."""

    result: Result
    page: str
    """Its page, seen from the index."""

    @property
    def key(self) -> Contrast | None:
        """What best shows its verdict."""
        return selection.key_contrast(self.result)


@dataclass(frozen=True)
class Course:
    """One metric of one endpoint over the runs of one experiment."""

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
            or "no folder holds a result.json",
            remedy="name a folder of runs, such as reports/",
        )
    try:
        for one in shelved:
            (target / one.page).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target / one.page, html.render(one.result).encode())
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
    if (folder / RESULT).is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{RESULT}"))


def _shelve(folders: Iterable[Path]) -> tuple[list[Shelved], list[Skipped]]:
    found: dict[str, Shelved] = {}
    skipped = []
    for folder in folders:
        try:
            result = load_result(folder)
        except ConfigurationError as error:
            skipped.append(Skipped(folder.name, error.problem))
            continue
        if result.run.id in found:
            skipped.append(Skipped(folder.name, "another folder holds the same run"))
            continue
        found[result.run.id] = Shelved(result, f"runs/{len(found) + 1}/{PAGE}")
    ordered = sorted(found.values(), key=lambda one: one.result.run.started_at, reverse=True)
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
            verdicts=sorted({str(one.result.verdict.verdict) for one in shelved}),
            policy=frame.policy(style, script),
            style=style,
            script=script,
            data=frame.for_script(json.dumps([_for_comparing(one) for one in shelved], allow_nan=False)),
        )
    )
    return page


def _for_comparing(one: Shelved) -> dict[str, Any]:
    """Return what the index page needs to put a run beside another."""
    result = one.result
    return {
        "title": safe.name(result.experiment.title),
        "started": result.run.started_at,
        "page": one.page,
        "alike": {name: safe.name(value) for name, value in diff.identity(result).items()},
        "contrasts": [
            {
                "metric": wording.metric_label(each.metric),
                "endpoint": safe.name(each.endpoint) if each.endpoint else "",
                "variant": safe.name(selection.label_of(result, each.variant), 60),
                "levels": wording.levels(each),
                "change": wording.estimate(each.effect, each.unit),
                "interval": wording.interval(each.effect, each.unit),
                "low": each.effect.low,
                "high": each.effect.high,
                "verdict": str(each.verdict or ""),
            }
            for each in result.contrasts
            if each.effect is not None and math.isfinite(each.effect.low) and math.isfinite(each.effect.high)
        ][:MOST_CONTRASTS],
    }


def _trends(shelved: Sequence[Shelved]) -> list[Trend]:
    """Return the course of every experiment that was run more than once on one machine, the newest first."""
    groups: dict[tuple[str, ...], list[Shelved]] = {}
    for one in shelved:
        key = (one.result.experiment.title, *diff.identity(one.result).values())
        groups.setdefault(key, []).append(one)
    found = []
    for runs in groups.values():
        experiment, machine = runs[0].result.experiment, runs[0].result.machine
        courses = _courses([one.result for one in reversed(runs)])
        if courses:
            where = f"{experiment.scenario}, {experiment.size}, {machine.cpu_model} ({machine.fingerprint})"
            found.append(Trend(safe.name(experiment.title), safe.name(where), courses))
    return found


def _courses(results: list[Result]) -> list[Course]:
    series: dict[tuple[str, str], list[trend.Point]] = {}
    for result in results:
        for one in result.contrasts:
            shown = one.metric == "latency_mean" or (one.gating and one.endpoint is None)
            if shown and one.effect is not None and one.effect.kind == "ratio":
                key = one.endpoint or "", wording.metric_label(one.metric)
                series.setdefault(key, []).append(trend.Point(result.run.started_at, one))
    long_enough = {key: points for key, points in series.items() if len(points) >= LEAST_RUNS}
    ordered = sorted(long_enough.items(), key=lambda item: item[0][0] != "")
    return [_course(endpoint, metric, points) for (endpoint, metric), points in ordered[:MOST_TRENDS]]


def _course(endpoint: str, metric: str, points: list[trend.Point]) -> Course:
    title = f"{metric}, {safe.name(endpoint) if endpoint else 'all endpoints'}"
    return Course(title, trend.draw(points, f"{title} over {len(points)} runs"), len(points))
