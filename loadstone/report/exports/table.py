"""A result as CSV (RFC 4180): one row a contrast, and one a fact that was counted exactly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from loadstone.record.probed import FactChange
from loadstone.record.result import Contrast, Result
from loadstone.report import safe, selection

COLUMNS = (
    "run", "started_at", "kind", "metric", "unit", "endpoint", "baseline", "variant", "gating",
    "before", "after", "effect_kind", "estimate", "low", "high", "level", "verdict", "detected",
    "p_value", "q_value", "margin", "generations", "unavailable_reason",
)  # fmt: skip
"""Of every row, in this order; later versions add at the end."""
FORMULA = ("=", "+", "-", "@")
"""Where a text begins so, a spreadsheet would reckon it."""


def render(result: Result) -> str:
    """Return the table: units as in `result.json`, numbers in full, nothing where there is none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for row in _rows(result):
        common = {"run": result.run.id, "started_at": result.run.started_at}
        writer.writerow({name: _cell(value) for name, value in (common | row).items()})
    return text.getvalue()


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    for contrast in result.contrasts:
        yield _contrast(contrast)
    for fact in selection.facts(result):
        yield _fact(fact)


def _contrast(one: Contrast) -> dict[str, Any]:
    effect = one.effect
    row: dict[str, Any] = {
        "kind": one.lane,
        "metric": one.metric,
        "unit": one.unit,
        "endpoint": one.endpoint,
        "baseline": one.baseline,
        "variant": one.variant,
        "gating": one.gating,
        "before": one.before,
        "after": one.after,
        "verdict": one.verdict,
        "detected": one.detected,
        "p_value": one.p_value,
        "q_value": one.q_value,
        "margin": one.margin,
        "generations": one.generations,
        "unavailable_reason": one.unavailable_reason,
    }
    if effect is not None:
        row |= {
            "effect_kind": effect.kind,
            "estimate": effect.estimate,
            "low": effect.low,
            "high": effect.high,
        }
        row["level"] = effect.level
    return row


def _fact(one: FactChange) -> dict[str, Any]:
    return {
        "kind": "exact",
        "metric": one.fact,
        "unit": one.unit,
        "endpoint": one.endpoint,
        "baseline": one.baseline,
        "variant": one.variant,
        "gating": one.gating,
        "before": one.before,
        "after": one.after,
        "verdict": one.verdict,
    }


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = safe.name(value, 400)
        return f"'{text}" if text.startswith(FORMULA) else text
    return value
