"""The JSON Schemas of results, as they are published in `docs/`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loadstone.record.capacity_result import capacity_schema
from loadstone.record.gated import gate_schema
from loadstone.record.load_result import load_schema
from loadstone.record.matrix_result import matrix_schema
from loadstone.record.result import json_schema

PUBLISHED = Path("docs") / "result.schema.json"
"""Where the schema of `result.json` stands, seen from the root of the repository."""
PUBLISHED_CAPACITY = Path("docs") / "capacity.schema.json"
"""The same of `capacity.json`."""
PUBLISHED_LOAD = Path("docs") / "load.schema.json"
"""The same of `load.json`."""
PUBLISHED_GATE = Path("docs") / "gate.schema.json"
"""The same of `gate.json`."""
PUBLISHED_MATRIX = Path("docs") / "matrix.schema.json"
"""The same of `matrix.json`."""
SCHEMAS: dict[Path, Callable[[], dict[str, Any]]] = {
    PUBLISHED: json_schema,
    PUBLISHED_CAPACITY: capacity_schema,
    PUBLISHED_LOAD: load_schema,
    PUBLISHED_GATE: gate_schema,
    PUBLISHED_MATRIX: matrix_schema,
}


def published_text(which: Path = PUBLISHED) -> str:
    """Return a schema as its file must read."""
    return json.dumps(_dedented(SCHEMAS[which]()), indent=2, ensure_ascii=False) + "\n"


def _dedented(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the same with the indentation taken from descriptions: Python 3.13 does so by itself."""
    if isinstance(part, dict):
        return {
            key: inspect.cleandoc(each) if key == "description" and isinstance(each, str) else _dedented(each)
            for key, each in part.items()
        }
    return [_dedented(each) for each in part] if isinstance(part, list) else part


def publish(root: Path) -> Path:
    """Write the schemas under `root` and return the path of the first one."""
    for which in SCHEMAS:
        path = root / which
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(published_text(which), encoding="utf-8")
    return root / PUBLISHED
