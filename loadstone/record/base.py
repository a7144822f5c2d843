"""The base of what is recorded for others to read."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of a result: immutable, keyword-only."""
