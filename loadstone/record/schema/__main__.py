"""Publish the schemas: `python -m loadstone.record.schema`, from the root of the repository."""

from __future__ import annotations

from pathlib import Path

from loadstone.record.schema import publish

publish(Path.cwd())
