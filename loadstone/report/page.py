"""What the page shows, gathered from the record; the templates only lay it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.result import CheckStatus, Contrast, GenerationInfo, ProbeFacts, Result
from loadstone.report import quantities, safe, selection, wording
from loadstone.report.charts import forest, generations, percentiles
from loadstone.stats.verdicts import Verdict

MOST_GROUPS = 60
"""Endpoints that the page draws; the rest are in the JSON."""
MOST_DIFFERENCES = 20
TITLES = {
    "effects": "Effects",
    "latency": "Latency",
    "generations": "Generations",
    "probe": "Per request, counted",
    "payload": "Payloads",
    "outcomes": "Outcomes",
    "checks": "Checks",
    "circumstances": "Run and machine",
}
"""Sections in the order of the page; each has a template under `templates/sections/`."""


@dataclass(frozen=True)
class Hero:
    """The top of the page."""

    figure: str
    """The effect in the largest letters, or nothing where there is none to show."""
    subject: str
    sentence: str
    chart: Markup
    contrast: Contrast | None


@dataclass(frozen=True)
class Highlight:
    """One number under the hero, before and after."""

    name: str
    before: str
    after: str
    where: str = ""


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
class Spread:
    """The latency distributions of one endpoint."""

    title: str
    chart: Markup
    lines: list[percentiles.Line]
    stops: list[float]


@dataclass(frozen=True)
class Course:
    """One metric over the generations."""

    contrast: Contrast
    title: str
    chart: Markup
    has_zero: bool
    values: dict[int, str]


@dataclass(frozen=True)
class Statement:
    """One SQL statement and its calls per request on both sides."""

    sql: str
    before: float
    after: float

    @property
    def change(self) -> str:
        """What became of the statement."""
        if self.before == self.after:
            return "same"
        if not self.after:
            return "gone"
        return "changed" if self.before else "new"


@dataclass(frozen=True)
class Fact:
    """Exact facts of one endpoint on two variants."""

    endpoint: str
    label: str
    before: ProbeFacts
    after: ProbeFacts
    statements: list[Statement]


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out."""

    hero: Hero
    reasons: list[str]
    """Reasons of the verdict that neither the headline nor a check tells."""
    highlights: list[Highlight]
    forests: list[Forest]
    spreads: list[Spread]
    courses: list[Course]
    facts: list[Fact]
    diffs: list[list[tuple[str, str]]]
    """Per payload difference: (kind, line)."""
    generations: list[GenerationInfo]
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
    facts = [_fact(result, *pair) for pair in selection.probe_pairs(result)]
    payload = result.probe.payload if result.probe else None
    said = {wording.headline(result), *(f"{check.name}: {check.message}" for check in result.checks)}
    return Page(
        hero=_hero(result),
        reasons=[reason for reason in result.verdict.reasons if reason not in said],
        highlights=_highlights(result, facts),
        forests=forests,
        spreads=spreads,
        courses=courses,
        facts=facts,
        diffs=[
            diff_lines(one.diff or f"-{one.before}\n+{one.after}")
            for one in (payload.differences[:MOST_DIFFERENCES] if payload else [])
        ],
        generations=result.generations,
        has_looks=any(course.contrast.looks for course in courses),
        titles=TITLES,
        has={
            "effects": bool(forests),
            "latency": bool(spreads),
            "generations": bool(result.generations),
            "probe": bool(facts),
            "payload": payload is not None,
            "outcomes": bool(result.outcomes),
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


def _hero(result: Result) -> Hero:
    key = selection.key_contrast(result)
    if key is None or key.effect is None:
        return Hero(figure="", subject="", sentence=_plain(result), chart=Markup(""), contrast=None)
    figure, rest = _figure(key)
    return Hero(
        figure=figure,
        subject=wording.metric_label(key.metric),
        sentence=", ".join(part for part in (rest, wording.interval_in_words(key)) if part),
        chart=forest.large(key),
        contrast=key,
    )


def _figure(key: Contrast) -> tuple[str, str]:
    """Return what stands largest, and the amount where that does not already say it.

    An open question shows its interval and an equivalence its margin: an
    estimate in large letters would claim more than was found.
    """
    amount, times = wording.amount_in_words(key), wording.times_in_words(key)
    if key.verdict is Verdict.INCONCLUSIVE:
        return wording.ends_in_words(key), f"estimate {amount}"
    if key.verdict is Verdict.EQUIVALENT:
        return f"Within {wording.margin(key)}", f"estimate {amount}"
    return (times, amount) if times else (amount, "")


def _plain(result: Result) -> str:
    """Return the opening sentence of a run without an effect to show."""
    failed = [check.name for check in selection.concerns(result) if check.status is CheckStatus.FAIL]
    if result.verdict.verdict is Verdict.INVALID and failed:
        return f"This measurement must not be believed: {', '.join(map(safe.name, failed))}"
    return wording.headline(result)


def _highlights(result: Result, facts: list[Fact]) -> list[Highlight]:
    """Return the gating levels and the endpoint whose queries changed most."""
    told: list[Highlight] = []
    if result.verdict.verdict is Verdict.INVALID:
        return told
    single = len(result.variants) == 2  # noqa: PLR2004 - more have no single before and after
    for one in selection.gating(result) if single else []:
        if one.available:
            before, after = (quantities.quantity(end, one.unit) for end in (one.before, one.after))
            told.append(Highlight(wording.metric_label(one.metric), before, after))
    counted = [
        fact
        for fact in facts
        if fact.before.queries_first is not None and fact.after.queries_first is not None
    ]
    if counted:
        most = max(
            counted, key=lambda fact: abs((fact.before.queries_first or 0) - (fact.after.queries_first or 0))
        )
        before, after = (quantities.count(side.queries_first) for side in (most.before, most.after))
        told.append(Highlight("queries per request", before, after, most.endpoint))
    return told


def _forest(result: Result, variant: str) -> Forest:
    everything = [
        *selection.overall(result, variant, gating=True),
        *selection.overall(result, variant, gating=False),
    ]
    groups = [Group("All endpoints together", everything, is_endpoint=False)] if everything else []
    names = selection.endpoints(result)
    for endpoint in names[:MOST_GROUPS]:
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
        left_out=max(0, len(names) - MOST_GROUPS),
        lower_is_better=all(row.direction == "lower" for row in rows),
    )


def _spreads(result: Result) -> list[Spread]:
    names: Iterable[str | None] = [None, *selection.endpoints(result)[:MOST_GROUPS]]
    if len(selection.endpoints(result)) == 1 and selection.distributions(result, None):
        names = [None]
    return [spread for spread in (_spread(result, name) for name in names) if spread.chart]


def _spread(result: Result, endpoint: str | None) -> Spread:
    order = {variant.name: place for place, variant in enumerate(result.variants)}
    lines = [
        percentiles.Line(order[one.variant], safe.name(selection.label_of(result, one.variant), 60), one)
        for one in selection.distributions(result, endpoint)
    ]
    title = "All endpoints together" if endpoint is None else safe.name(endpoint)
    return Spread(
        title=title,
        chart=percentiles.draw(
            lines, f"Latency over percentiles, {title}; the numbers are in the table below"
        ),
        lines=lines,
        stops=sorted({q for line in lines for q in percentiles.stops(line.distribution)}),
    )


def _courses(result: Result) -> list[Course]:
    """Return one course for each gating metric that changed at all."""
    found = []
    for contrast in selection.gating(result) or _unjudged(result):
        series = generations.series(result.generations, contrast)
        if contrast.endpoint is not None or not any(value for _, value in series):
            continue
        title = wording.metric_label(contrast.metric)
        if len(result.variants) > 2:  # noqa: PLR2004 - a baseline and one other need no name
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


def _fact(result: Result, endpoint: str, before: ProbeFacts, after: ProbeFacts) -> Fact:
    calls = [dict(side.statements) for side in (before, after)]
    both = dict.fromkeys([*calls[0], *calls[1]])
    statements = [Statement(sql, calls[0].get(sql, 0.0), calls[1].get(sql, 0.0)) for sql in both]
    return Fact(
        endpoint=endpoint,
        label=selection.label_of(result, after.variant) if len(result.variants) > 2 else "",  # noqa: PLR2004 - as in _courses
        before=before,
        after=after,
        statements=sorted(statements, key=lambda one: -max(one.before, one.after)),
    )
