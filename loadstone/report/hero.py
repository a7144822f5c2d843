"""The top of the page: what was found, in the largest letters that it deserves."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.result import CheckStatus, Contrast, Result
from loadstone.report import quantities, safe, selection, wording
from loadstone.report.charts import forest
from loadstone.report.facts import Fact
from loadstone.stats.verdicts import Verdict


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


def make_hero(result: Result) -> Hero:
    """Return the opening of the page."""
    key = selection.key_contrast(result)
    if key is None or key.effect is None:
        exact = _exact_hero(result)
        if exact is not None:
            return exact
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


def make_highlights(result: Result, facts: list[Fact]) -> list[Highlight]:
    """Return the gating levels and the endpoint whose queries changed most."""
    told: list[Highlight] = []
    if result.verdict.verdict is Verdict.INVALID:
        return told
    single = not selection.several(result)
    for one in selection.gating(result) if single else []:
        if one.available:
            before, after = (quantities.quantity(end, one.unit) for end in (one.before, one.after))
            told.append(Highlight(wording.metric_label(one.metric), before, after))
    counted = [fact.changes["queries"] for fact in facts if "queries" in fact.changes]
    if counted and selection.timed(result):
        most = max(counted, key=lambda change: abs(change.before - change.after))
        told.append(Highlight("queries per request", *wording.exact_ends(most), most.endpoint))
    return told


def _exact_hero(result: Result) -> Hero | None:
    """Return the opening of a run that timed nothing: the queries that changed most, one that rose first."""
    deciding = [change for change in selection.facts(result) if change.gating]
    if result.verdict.verdict is Verdict.INVALID or not deciding:
        return None
    most = min(
        deciding, key=lambda one: (one.verdict is not result.verdict.verdict, -abs(one.after - one.before))
    )
    figure = wording.exact_change(most) if most.before != most.after else "No change"
    subject = "queries per request" if most.fact == "queries" else "queries per repeated request"
    where = f"{subject}, {safe.name(most.endpoint, 60)}" if most.before != most.after else subject
    return Hero(
        figure=figure, subject=where, sentence=wording.headline(result), chart=Markup(""), contrast=None
    )
