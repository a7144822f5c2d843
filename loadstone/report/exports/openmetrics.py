"""A result as OpenMetrics text with timestamps, so that a finished run can be looked at in Prometheus later.

Levels and effects stand at the end of the generation or look that told them; the
verdict, and what was counted over the whole run, at the run's end. Base units:
seconds, bytes, ratios. Every series carries `run`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import Metric

from loadstone.record.result import Contrast, Effect, Result
from loadstone.report import safe, selection
from loadstone.report.exports.families import ALL, Series, counter, expose, gauge, seconds_of
from loadstone.stats.verdicts import Verdict

MILLISECOND = 0.001
"""The resolution of time stamps in Prometheus, in seconds."""
UNITS = {
    "us": ("seconds", 1e-6),
    "s": ("seconds", 1.0),
    "share": ("ratio", 1.0),
    "rps": ("requests_per_second", 1.0),
    "bytes": ("bytes", 1.0),
}
"""Of a result's units: the base unit in a series' name, and the factor to it."""
LEVEL_LABELS = ("run", "variant", "endpoint")
EFFECT_LABELS = ("run", "variant", "endpoint", "metric", "kind", "bound")
_FOREIGN = re.compile(r"[^a-zA-Z0-9_]+")


def render(result: Result) -> str:
    """Return the exposition, ended with `# EOF`."""
    return expose(_families(result))


def _families(result: Result) -> Iterator[Metric]:
    """Yield each family, its samples series by series and in time."""
    for name, series in _levels(result).items():
        yield gauge(name, "Level of a metric on a variant", LEVEL_LABELS, series)
    told = "Change of a metric against the baseline, with the ends of its interval"
    yield gauge("loadstone_effect", told, EFFECT_LABELS, _effects(result))
    verdicts: Series = {
        (result.run.id, str(one)): {_end(result): float(one is result.verdict.verdict)} for one in Verdict
    }
    yield gauge("loadstone_verdict", "1 for the run's verdict", ("run", "verdict"), verdicts)
    yield _requests(result)
    for name, series in _facts(result).items():
        yield gauge(name, "Counted exactly, mean per request", LEVEL_LABELS, series)


def _levels(result: Result) -> dict[str, Series]:
    """Return a family a metric: levels of the whole run, and by generation those of what decides."""
    found: dict[str, Series] = defaultdict(lambda: defaultdict(dict))
    ends = _generation_ends(result)
    for one in result.contrasts:
        name, factor = _named(one.metric, one.unit)
        for variant, level in ((one.baseline, one.before), (one.variant, one.after)):
            if level is None:
                continue
            points = found[name][_labels(result, variant, one.endpoint)]
            if one.endpoint is None:
                points |= {
                    ends[generation.index]: generation.levels[one.metric][variant] * factor
                    for generation in result.generations
                    if generation.index in ends and variant in generation.levels.get(one.metric, {})
                }
            points[_end(result)] = level * factor
    return found


def _effects(result: Result) -> Series:
    """Return estimate and interval of every contrast, look by look where looks are recorded."""
    found: Series = defaultdict(dict)
    ends = sorted(_generation_ends(result).values())
    for one in result.contrasts:
        told = [(look.generations, look.effect) for look in one.looks if look.generations <= len(ends)]
        for count, effect in told:
            _add_effect(found, result, one, ends[count - 1], effect)
        if one.effect is not None:
            _add_effect(found, result, one, _end(result), one.effect)
    return found


def _add_effect(found: Series, result: Result, one: Contrast, at: float, effect: Effect) -> None:
    factor = 1.0 if effect.kind == "ratio" else UNITS.get(one.unit, ("", 1.0))[1]
    labels = (*_labels(result, one.variant, one.endpoint), one.metric, effect.kind)
    for bound, value in (("estimate", effect.estimate), ("low", effect.low), ("high", effect.high)):
        found[(*labels, bound)][at] = value * factor


def _requests(result: Result) -> Metric:
    counts: Series = defaultdict(dict)
    for one in result.outcomes:
        counts[(*_labels(result, one.variant, one.endpoint), one.outcome)][_end(result)] = one.count
    return counter("loadstone_requests", "Measured requests by outcome", (*LEVEL_LABELS, "outcome"), counts)


def _facts(result: Result) -> dict[str, Series]:
    found: dict[str, Series] = defaultdict(lambda: defaultdict(dict))
    for one in selection.facts(result):
        name, factor = _named(f"probed_{one.fact}", one.unit)
        for variant, mean in ((one.baseline, one.before), (one.variant, one.after)):
            found[name][_labels(result, variant, one.endpoint)][_end(result)] = mean * factor
    return found


def _labels(result: Result, variant: str, endpoint: str | None) -> tuple[str, ...]:
    return result.run.id, safe.name(variant), safe.name(endpoint) if endpoint else ALL


def _named(metric: str, unit: str) -> tuple[str, float]:
    """Return the series' name of a metric, and the factor from its unit to the base unit."""
    base, factor = UNITS.get(unit, ("", 1.0))
    stem = f"loadstone_{_FOREIGN.sub('_', metric)}"
    return (stem if not base or stem.endswith(f"_{base}") else f"{stem}_{base}"), factor


def _generation_ends(result: Result) -> dict[int, float]:
    """Return when each generation ended, in seconds since 1970; those of older runs are not recorded.

    A series holds one sample a millisecond, and generations that overlap may end in the
    same one: the later of them stands a millisecond after, so that none is lost.
    """
    told = {one.index: seconds_of(one.ended_at) for one in result.generations if one.ended_at}
    ends: dict[int, float] = {}
    last = float("-inf")
    for index, at in sorted(told.items(), key=lambda one: (one[1], one[0])):
        last = max(round(at, 3), round(last + MILLISECOND, 3))
        ends[index] = last
    return ends


def _end(result: Result) -> float:
    return seconds_of(result.run.finished_at)
