"""The price of a change: all that got worse, from what was measured, counted and read; nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from loadstone.record.priced import Price
from loadstone.record.probed import FactChange, Footprint, Probe, ProbeFacts
from loadstone.record.result import Contrast
from loadstone.stats.inference import MINIMUM_GENERATIONS, fit_all
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Verdict

ALPHA = 0.01
"""Two-sided, of the interval of memory over generations."""
READ = {
    "table_bytes": 0.01,
    "index_bytes": 0.01,
    "cache_bytes": 0.05,
    "log_bytes": 0.10,
    "memory_bytes": 0.05,
}
"""Readings, and the share by which one must be larger: a single one is not exact."""
LEAST_BYTES = 65_536
LEAST_LOG_BYTES = 100.0
"""Per request: less is what a database writes of its own accord."""
_WRITE = re.compile(r"(?i)^\s*(?:with\b.*?\b)?(insert|update|delete|merge|copy)\b", re.DOTALL)


def prices(
    contrasts: Iterable[Contrast], changes: Iterable[FactChange], probe: Probe | None, names: Sequence[str]
) -> list[Price]:
    """Return what got worse, apart from memory over generations: over all endpoints first.

    Args:
        contrasts: of all metrics.
        changes: exact facts, compared.
        probe: what the probe saw.
        names: of the variants that are judged, the baseline first.
    """
    found = [
        *(price for one in contrasts if one.variant in names for price in _of_contrast(one)),
        *(_of_fact(one) for one in changes if one.verdict is Verdict.REGRESSED and one.variant in names),
        *(price for other in names[1:] for price in _writes(probe, names[0], other)),
        *(price for other in names[1:] for price in _readings(probe, names[0], other)),
    ]
    return sorted(found, key=lambda one: (names.index(one.variant), one.endpoint is not None))


def memory_prices(memory: FloatArray, positions: NDArray[np.int64], names: Sequence[str]) -> list[Price]:
    """Return a price for each variant whose server took more memory over the generations, for certain.

    Args:
        memory: [generation, variant] bytes when the generation was over; NaN where not known.
        positions: [generation, variant] start positions.
        names: of the variants, the baseline first.
    """
    if len(memory) < MINIMUM_GENERATIONS or len(np.unique(positions[:, 0])) == 1:
        return []
    found = []
    for name, fitted, column in zip(names[1:], fit_all(memory, positions), memory.T[1:], strict=True):
        low, high = fitted.interval(ALPHA)
        if fitted.available and low > 0:
            found.append(
                Price(
                    name="memory_bytes",
                    unit="bytes",
                    variant=name,
                    endpoint=None,
                    before=float(memory[:, 0].mean()),
                    after=float(column.mean()),
                    source="measured",
                    kind="ratio",
                    low=math.expm1(low),
                    high=math.expm1(high),
                    level=1 - ALPHA,
                )
            )
    return found


def _of_contrast(one: Contrast) -> Iterator[Price]:
    """Yield a price where the interval lies on the worse side; of a diagnosis, where it was called so too."""
    effect = one.effect
    if effect is None or one.before is None or one.after is None or one.verdict is Verdict.INVALID:
        return
    worse = effect.low > 0 if one.direction == "lower" else effect.high < 0
    if worse and (one.gating or one.detected):
        yield Price(
            name=one.metric,
            unit=one.unit,
            variant=one.variant,
            endpoint=one.endpoint,
            before=one.before,
            after=one.after,
            source="measured",
            kind=effect.kind,
            low=effect.low,
            high=effect.high,
            level=effect.level,
            within_margin=one.verdict is Verdict.EQUIVALENT,
        )


def _of_fact(one: FactChange) -> Price:
    return Price(
        name=one.fact,
        unit=one.unit,
        variant=one.variant,
        endpoint=one.endpoint,
        before=one.before,
        after=one.after,
        source="counted",
    )


def _writes(probe: Probe | None, baseline: str, variant: str) -> Iterator[Price]:
    """Yield endpoints that write more often; only where every statement of both sides was seen."""
    sides = {(one.endpoint, one.variant): one for one in (probe.facts if probe else [])}
    for (endpoint, side), before in sides.items():
        after = sides.get((endpoint, variant))
        if side != baseline or after is None or before.queries_first is None or after.queries_first is None:
            continue
        calls = _written(before), _written(after)
        if calls[1] > calls[0]:
            yield Price(
                name="writes",
                unit="count",
                variant=variant,
                endpoint=endpoint,
                before=calls[0],
                after=calls[1],
                source="counted",
            )


def _written(side: ProbeFacts) -> float:
    return sum(calls for sql, calls in side.statements if _WRITE.match(sql))


def _readings(probe: Probe | None, baseline: str, variant: str) -> Iterator[Price]:
    held = {one.variant: one for one in (probe.footprints if probe else [])}
    if baseline not in held or variant not in held:
        return
    for name, share in READ.items():
        before, after = (_reading(held[side], name) for side in (baseline, variant))
        if before is None or after is None or after <= before * (1 + share):
            continue
        if after - before >= (LEAST_LOG_BYTES if name == "log_bytes" else LEAST_BYTES):
            yield Price(
                name=name,
                unit="bytes",
                variant=variant,
                endpoint=None,
                before=before,
                after=after,
                source="read",
            )


def _reading(held: Footprint, name: str) -> float | None:
    """Return a reading; what was written to the log is told per request."""
    value: int | None = getattr(held, name)
    if value is None:
        return None
    return value / max(held.requests, 1) if name == "log_bytes" else float(value)
