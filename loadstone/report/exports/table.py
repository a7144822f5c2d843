"""A result as CSV (RFC 4180): one row a contrast, and one a fact that was counted exactly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
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
SHARED = ("unit", "endpoint", "baseline", "variant", "gating", "before", "after", "verdict")
OF_CONTRASTS = ("metric", "detected", "p_value", "q_value", "margin", "generations", "unavailable_reason")
OF_EFFECTS = ("estimate", "low", "high", "level")
FORMULA = ("=", "+", "-", "@")
"""Where a text begins so, a spreadsheet would reckon it."""


def render(result: Result) -> str:
    """Return the table: units as in `result.json`, numbers in full, nothing where there is none."""
    return written(COLUMNS, {"run": result.run.id, "started_at": result.run.started_at}, _rows(result))


def written(columns: Sequence[str], common: dict[str, Any], rows: Iterable[dict[str, Any]]) -> str:
    """Return a table whose every row has the cells of `common` too; cells that a row lacks are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in (common | row).items()})
    return text.getvalue()


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    for contrast in result.contrasts:
        yield _contrast(contrast)
    for fact in selection.facts(result):
        yield _fact(fact)


def _contrast(one: Contrast) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in (*SHARED, *OF_CONTRASTS)} | {"kind": one.lane}
    if one.effect is not None:
        row |= {name: getattr(one.effect, name) for name in OF_EFFECTS} | {"effect_kind": one.effect.kind}
    return row


def _fact(one: FactChange) -> dict[str, Any]:
    return {name: getattr(one, name) for name in SHARED} | {"kind": "exact", "metric": one.fact}


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = safe.name(value, 400)
        return f"'{text}" if text.startswith(FORMULA) else text
    return value
