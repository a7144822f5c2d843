"""What the page shows, gathered from the record; the templates only lay it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.result import Contrast, GenerationInfo, Result
from loadstone.report import controls, price, profile, quantities, safe, selection, slowest, why, wording
from loadstone.report.charts import forest, generations, percentiles
from loadstone.report.controls import Line
from loadstone.report.facts import MOST_LISTS, Fact, make_fact
from loadstone.report.hero import Hero, Highlight, make_hero, make_highlights
from loadstone.report.why import Sentence

MOST_GROUPS = 60
"""Endpoints whose effects the page draws, divided among the variants; the rest are in the JSON."""
MOST_SPREADS = 24
"""Endpoints whose distributions it draws."""
MOST_DIFFERENCES = 20
TITLES = {
    "effects": "Effects",
    "price": "Price",
    "latency": "Latency",
    "generations": "Generations",
    "probe": "Per request, counted",
    "profile": "CPU",
    "payload": "Payloads",
    "slowest": "Slowest requests",
    "outcomes": "Outcomes",
    "controls": "Controls",
    "checks": "Checks",
    "circumstances": "Run and machine",
}
"""Sections in the order of the page; each has a template under `templates/sections/`."""


@dataclass(frozen=True)
class Group:
    """Rows of the forest plot under one heading."""

    title: str
    rows: list[Contrast]
    is_endpoint: bool


@dataclass(frozen=True)
class Forest:
    """One comparison with the baseline."""

    title: str
    groups: list[Group]
    axis: Markup
    charts: dict[int, Markup]
    """By identity of the contrast."""
    left_out: int
    lower_is_better: bool


@dataclass(frozen=True)
class Course:
    """One metric over the generations."""

    contrast: Contrast
    title: str
    chart: Markup
    has_zero: bool
    values: dict[int, str]


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out."""

    hero: Hero
    reasons: list[str]
    """Reasons of the verdict that neither the headline nor a check tells."""
    why: list[Sentence]
    highlights: list[Highlight]
    forests: list[Forest]
    spreads: list[percentiles.Spread]
    courses: list[Course]
    facts: list[Fact]
    with_statements: list[Fact]
    diffs: list[list[tuple[str, str]]]
    """Per payload difference: (kind, line)."""
    flames: list[profile.Flames]
    generations: list[GenerationInfo]
    controls: list[Line]
    has_looks: bool
    titles: dict[str, str]
    has: dict[str, bool]
    """Whether a section has anything to show."""


def build(result: Result) -> Page:
    """Gather the page of `result`."""
    forests = [
        one for one in (_forest(result, other.name) for other in selection.others(result)) if one.groups
    ]
    spreads = _spreads(result)
    courses = _courses(result)
    counted = [make_fact(result, *pair) for pair in selection.probe_pairs(result)]
    payload = result.probe.payload if result.probe else None
    said = {wording.headline(result), *(f"{check.name}: {check.message}" for check in result.checks)}
    return Page(
        hero=make_hero(result),
        reasons=[reason for reason in result.verdict.reasons if reason not in said],
        why=why.sentences(result),
        highlights=make_highlights(result, counted),
        forests=forests,
        spreads=spreads,
        courses=courses,
        facts=counted,
        with_statements=[one for one in counted if one.statements][:MOST_LISTS],
        diffs=[
            diff_lines(one.diff or f"-{one.before}\n+{one.after}")
            for one in (payload.differences[:MOST_DIFFERENCES] if payload else [])
        ],
        flames=profile.flames(result),
        generations=result.generations,
        controls=list(controls.lines(result)),
        has_looks=any(course.contrast.looks for course in courses),
        titles=TITLES,
        has={
            "effects": bool(forests),
            "price": price.known(result),
            "latency": bool(spreads),
            "generations": bool(result.generations),
            "probe": bool(counted),
            "profile": result.profile is not None,
            "payload": payload is not None,
            "slowest": bool(slowest.sides(result)),
            "outcomes": bool(result.outcomes),
            "controls": bool(result.controls),
            "checks": bool(result.checks),
            "circumstances": True,
        },
    )


def diff_lines(text: str) -> list[tuple[str, str]]:
    """Return the lines of a diff with their kinds: added, removed, place or context."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = safe.block(text).splitlines()
    return [
        ("place" if line.startswith(("+++", "---")) else kinds.get(line[:1], "context"), line)
        for line in lines
    ]


def _forest(result: Result, variant: str) -> Forest:
    everything = [
        *selection.overall(result, variant, gating=True),
        *selection.overall(result, variant, gating=False),
    ]
    groups = [Group("All endpoints together", everything, is_endpoint=False)] if everything else []
    names = selection.endpoints(result)
    most = MOST_GROUPS // len(selection.others(result))
    for endpoint in names[:most]:
        rows = selection.of_endpoint(result, endpoint, variant)
        if rows:
            groups.append(Group(endpoint, rows, is_endpoint=True))
    rows = [row for group in groups for row in group.rows]
    scale = forest.common_scale(rows)
    baseline = selection.label_of(result, result.variants[0].name)
    return Forest(
        title=f"{safe.name(baseline)} {quantities.ARROW} {safe.name(selection.label_of(result, variant))}",
        groups=groups,
        axis=forest.axis(scale) if scale else Markup(""),
        charts={id(row): forest.row(row, scale, result.experiment.margin) for row in rows},
        left_out=max(0, len(names) - most),
        lower_is_better=all(row.direction == "lower" for row in rows),
    )


def _spreads(result: Result) -> list[percentiles.Spread]:
    names: Iterable[str | None] = [None, *selection.endpoints(result)[:MOST_SPREADS]]
    if len(selection.endpoints(result)) == 1 and selection.distributions(result, None):
        names = [None]
    return [spread for spread in (_spread(result, name) for name in names) if spread.chart]


def _spread(result: Result, endpoint: str | None) -> percentiles.Spread:
    order = {variant.name: place for place, variant in enumerate(result.variants)}
    lines = [
        percentiles.Line(order[one.variant], safe.name(selection.label_of(result, one.variant), 60), one)
        for one in selection.distributions(result, endpoint)
    ]
    title = "All endpoints together" if endpoint is None else safe.name(endpoint)
    return percentiles.spread(title, lines)


def _courses(result: Result) -> list[Course]:
    """Return one course for each gating metric that changed at all."""
    found = []
    for contrast in selection.gating(result) or _unjudged(result):
        series = generations.series(result.generations, contrast)
        if contrast.endpoint is not None or not any(value for _, value in series):
            continue
        title = wording.metric_label(contrast.metric)
        if selection.several(result):
            title = f"{title}, {safe.name(selection.label_of(result, contrast.variant), 60)}"
        label = f"Effect on {title} in each generation; the numbers are in the table below"
        found.append(
            Course(
                contrast=contrast,
                title=title,
                chart=generations.draw(result.generations, contrast, label),
                has_zero=generations.shows_zero(result.generations, contrast),
                values={one.index: generations.value_name(value, contrast) for one, value in series},
            )
        )
    return found


def _unjudged(result: Result) -> list[Contrast]:
    """Return stand-ins for the metrics of a run that ended before anything could be judged."""
    metrics = dict.fromkeys(metric for one in result.generations for metric in one.effects)
    return [
        Contrast(
            metric=metric,
            unit="share" if metric == "errors" else "us",
            direction="lower",
            lane="pair",
            endpoint=None,
            gating=True,
            baseline=result.variants[0].name,
            variant=other.name,
            available=False,
            margin=result.experiment.margin,
        )
        for metric in metrics
        if metric != "errors"
        for other in selection.others(result)
    ]
