"""The JSON Schema of `result.json`, as it is published in `docs/`."""

from __future__ import annotations

import json
from pathlib import Path

from loadstone.record.result import json_schema

PUBLISHED = Path("docs") / "result.schema.json"
"""Where the schema stands, seen from the root of the repository."""


def published_text() -> str:
    """Return the schema as its file must read."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def publish(root: Path) -> Path:
    """Write the schema under `root` and return its path."""
    path = root / PUBLISHED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(published_text(), encoding="utf-8")
    return path
