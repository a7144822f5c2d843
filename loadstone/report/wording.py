"""What a result says, in the same words in every format."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from loadstone.record.probed import FactChange
from loadstone.record.result import CheckStatus, Contrast, Effect, Result, RunStatus
from loadstone.report import quantities, safe, selection
from loadstone.report.quantities import ARROW
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.exact import tell_changes

LEAST_Q = 0.0001
"""Below, digits say nothing more."""
WORTH_A_FACTOR = 1.5
"""From here on, "3.1x faster" says more than a percentage."""


@dataclass(frozen=True)
class Sign:
    """How a verdict or a check is marked: never by colour alone."""

    symbol: str
    plain: str
    """The symbol where only ASCII can be shown."""
    style: str
    """Colour of the terminal."""
    meaning: str


VERDICTS: dict[Verdict, Sign] = {
    Verdict.IMPROVED: Sign("✓", "+", "bold green", "the interval lies wholly on the better side of zero"),
    Verdict.REGRESSED: Sign("✗", "x", "bold red", "the interval lies wholly on the worse side of zero"),
    Verdict.EQUIVALENT: Sign("=", "=", "bold blue", "the interval lies inside the margin"),
    Verdict.INCONCLUSIVE: Sign(
        "?", "?", "bold yellow", "the interval holds zero and reaches beyond the margin"
    ),
    Verdict.INVALID: Sign("!", "!", "bold magenta", "the measurement must not be believed"),
}
CHECKS: dict[CheckStatus, Sign] = {
    CheckStatus.OK: Sign("✓", "+", "green", "passed"),
    CheckStatus.WARN: Sign("▲", "^", "yellow", "warning"),
    CheckStatus.FAIL: Sign("✗", "x", "red", "failed"),
}
LABELS = {
    "latency_mean": "mean latency",
    "cpu": "CPU per request",
    "cpu_server": "server CPU",
    "cpu_database": "database CPU",
    "errors": "failed requests",
}
"""Short names of metrics; quantiles of latency name themselves."""
FACT_LABELS = {
    "queries": "queries",
    "queries_repeat": "queries when repeated",
    "rows": "rows",
    "cache_commands": "cache commands",
    "cache_commands_repeat": "cache commands when repeated",
    "cache_misses": "cache misses",
    "response_bytes": "response",
    "exchanges": "requests and messages",
}
"""Short names of exact facts."""
_REPEATS = {"queries_repeat": "queries", "cache_commands_repeat": "cache_commands"}
_QUANTILE = re.compile(r"latency_p(\d+)")


def metric_label(metric: str) -> str:
    """Return the short name of a metric, readable for metrics that this version does not know."""
    quantile = _QUANTILE.fullmatch(metric)
    if quantile:
        return f"p{quantile[1]} latency"
    return LABELS.get(metric) or safe.name(metric.replace("_", " "), 40)


def levels(contrast: Contrast) -> str:
    """Return `59.2 ms → 18.9 ms`."""
    before = quantities.quantity(contrast.before, contrast.unit)
    return f"{before} {ARROW} {quantities.quantity(contrast.after, contrast.unit)}"


def estimate(effect: Effect, unit: str) -> str:
    """Return the estimate with its sign, for tables: `−68%` or `+0.12 pp`."""
    return _signed(effect, effect.estimate, unit)


def change(effect: Effect, value: float, unit: str) -> str:
    """Return another amount on the scale of an effect, as `estimate` shows it."""
    return _signed(effect, value, unit)


def interval(effect: Effect, unit: str) -> str:
    """Return the interval with signs, for tables: `−70% to −66%`."""
    if effect.low == effect.high == 0:
        return "none seen"
    low, high = _signed(effect, effect.low, unit), _signed(effect, effect.high, unit)
    return f"{low.removesuffix(' pp')} to {high}"


def effect_in_words(contrast: Contrast) -> str:
    """Return `68% less (3.1× faster)`; nothing without an effect."""
    effect = contrast.effect
    if effect is None:
        return ""
    times = times_in_words(contrast)
    amount = amount_in_words(contrast)
    return f"{amount} ({times})" if times else amount


def amount_in_words(contrast: Contrast) -> str:
    """Return `68% less`; nothing without an effect."""
    effect = contrast.effect
    return "" if effect is None else _amount(effect, effect.estimate, contrast.unit)


def times_in_words(contrast: Contrast) -> str:
    """Return `3.1× faster`, or nothing where a percentage says it better."""
    effect = contrast.effect
    if (
        effect is None
        or effect.kind != "ratio"
        or not math.isfinite(effect.estimate)
        or effect.estimate <= -1
    ):
        return ""
    less = effect.estimate < 0
    ratio = 1 / (1 + effect.estimate) if less else 1 + effect.estimate
    if ratio < WORTH_A_FACTOR:
        return ""
    words = ("faster", "slower") if contrast.metric.startswith("latency") else ("less", "more")
    if not less and words[1] == "more":
        return f"{quantities.factor(ratio)}× as much"
    return f"{quantities.factor(ratio)}× {words[0] if less else words[1]}"


def interval_in_words(contrast: Contrast) -> str:
    """Return `99.75% interval 66% to 70% less`."""
    effect = contrast.effect
    if effect is None:
        return ""
    level = f"{quantities.significant(effect.level * 100, 5)}% interval"
    return f"{level} {ends_in_words(contrast)}"


def ends_in_words(contrast: Contrast) -> str:
    """Return `66% to 70% less`, or `1.1% less to 0.5% more` where the ends differ in sign."""
    effect = contrast.effect
    if effect is None:
        return ""
    if effect.low == effect.high == 0:
        return "without any difference"
    if effect.low >= 0 or effect.high <= 0:
        near, far = sorted((effect.low, effect.high), key=abs)
        return f"{_bare(effect, near, contrast.unit)} to {_amount(effect, far, contrast.unit)}"
    low, high = (_amount(effect, end, contrast.unit) for end in (effect.low, effect.high))
    return f"{low} to {high}"


def margin(contrast: Contrast) -> str:
    """Return the margin of a contrast: `±2%`, or `±0.1 pp` of a share."""
    relative = contrast.effect is None or contrast.effect.kind == "ratio"
    if relative or contrast.unit == "share":
        text = quantities.share(contrast.margin)
        return f"±{text}" if relative else f"±{text.removesuffix('%')} pp"
    return f"±{quantities.quantity(contrast.margin, contrast.unit)}"


def judged(contrast: Contrast | FactChange) -> str:
    """Return symbol and word of a verdict."""
    return "" if contrast.verdict is None else f"{VERDICTS[contrast.verdict].symbol} {contrast.verdict}"


def sentence(contrast: Contrast) -> str:
    """Return the contrast in one line of plain words."""
    label = metric_label(contrast.metric)
    if not contrast.available or contrast.effect is None:
        return f"{label}: {unavailable(contrast)}"
    return f"{label} {levels(contrast)}: {effect_in_words(contrast)}, {interval_in_words(contrast)}"


def unavailable(contrast: Contrast) -> str:
    """Return why there is no number; unavailable is not zero."""
    return safe.name(contrast.unavailable_reason or "not available", 240)


def families(result: Result) -> str:
    """Return what decides and what is a diagnosis, and how often each may be wrong; nothing without both."""
    gating = any(one.gating and one.available for one in result.contrasts)
    adjusted = any(one.q_value is not None for one in result.contrasts)
    if not (gating and adjusted):
        return ""
    alpha = quantities.share(result.experiment.alpha)
    return (
        f"{', '.join(dict.fromkeys(metric_label(one.metric) for one in selection.gating(result)))} "
        f"over all endpoints decide: false alarms of the whole gate at most {alpha}. "
        f"All else is a diagnosis and decides nothing: false discoveries at most {alpha} of those told"
    )


def q_value(contrast: Contrast) -> str:
    """Return `q = 0.003` of a diagnosis: the false-discovery rate at which it is told."""
    if contrast.q_value is None:
        return ""
    return f"q < {LEAST_Q:g}" if contrast.q_value < LEAST_Q else f"q = {contrast.q_value:.2g}"


def outlook(contrast: Contrast) -> str:
    """Return what an open contrast could have seen and what would settle it."""
    if contrast.verdict is not Verdict.INCONCLUSIVE or contrast.effect is None:
        return ""
    told = []
    if contrast.smallest_detectable is not None:
        ratio = contrast.effect.kind == "ratio"
        amount = contrast.smallest_detectable
        shown = quantities.share(amount) if ratio else quantities.quantity(amount, contrast.unit)
        told.append(f"smallest change that this run could have seen {shown}")
    if contrast.more_minutes is not None:
        told.append(f"{quantities.minutes(contrast.more_minutes)} would likely settle it")
    elif told:
        told.append("hardly any amount of time would settle it: take a wider margin or a quieter machine")
    return "; ".join(told)


def headline(result: Result) -> str:
    """Return the record's headline without the verdict that stands before it."""
    verdict = result.verdict
    text = safe.name(verdict.headline, 400)
    return text.removeprefix(f"{verdict.verdict}:").strip().removeprefix(str(verdict.verdict)).strip()


def status(result: Result) -> str:
    """Return how the run ended, where that is not simply: completed."""
    if result.run.status is RunStatus.PARTIAL:
        return f"partial: {safe.name(result.run.stop_reason)}"
    return ""


def exact_ends(change: FactChange) -> tuple[str, str]:
    """Return both counts as text, which are alike only where the counts are."""
    before, after = (quantities.quantity(value, change.unit) for value in (change.before, change.after))
    if before == after and change.before != change.after:
        unit = " B" if change.unit == "bytes" else ""
        return f"{quantities.count(change.before)}{unit}", f"{quantities.count(change.after)}{unit}"
    return before, after


def exact_change(change: FactChange) -> str:
    """Return `61 → 2`, or the one count where both are the same."""
    before, after = exact_ends(change)
    return before if change.before == change.after else f"{before} {ARROW} {after}"


def exact_line(changes: Mapping[str, FactChange]) -> str:
    """Return the exact facts of one endpoint, those that changed first."""
    told = [one for one in changes.values() if one.fact not in _REPEATS or _tells_more(one, changes)]
    parts = [f"{FACT_LABELS[one.fact]} {exact_change(one)}" for one in told if one.fact in FACT_LABELS]
    return ", ".join(sorted(parts, key=lambda part: ARROW not in part))


def exact_headline(result: Result) -> str:
    """Return what became of the queries per request, or nothing where they stayed the same."""
    return tell_changes(selection.facts(result), safe.name)


def _tells_more(repeat: FactChange, changes: Mapping[str, FactChange]) -> bool:
    """Say whether a repeated request did other than the first: a warm cache."""
    first = changes.get(_REPEATS[repeat.fact])
    return first is None or (first.before, first.after) != (repeat.before, repeat.after)


def _signed(effect: Effect, value: float, unit: str) -> str:
    if effect.kind == "ratio":
        return quantities.signed_percent(value, quantities.percent_decimals(effect.low, effect.high))
    if unit == "share":
        return quantities.signed_percent(value, 2).replace("%", " pp") if value else "0 pp"
    text = quantities.quantity(abs(value), unit)
    return f"{quantities.MINUS if value < 0 else '+'}{text}" if value else text


def _bare(effect: Effect, value: float, unit: str) -> str:
    return _signed(effect, value, unit).lstrip(f"+{quantities.MINUS}").replace(" pp", " percentage points")


def _amount(effect: Effect, value: float, unit: str) -> str:
    text = _bare(effect, value, unit)
    if not any(digit in text for digit in "123456789u"):
        return "unchanged" if value == effect.estimate else text
    return f"{text} {'less' if value < 0 else 'more'}"
