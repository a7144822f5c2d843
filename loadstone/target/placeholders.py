"""Filling the placeholders that a variant's command, environment and recipe may hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadstone.config.model import Variant
from loadstone.target.urls import password_of, redact

NAMES = ("python", "host", "port", "database_url", "redis_url", "folder", "size", "seed")
PRIVATE_PREFIX = "LOADSTONE_"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variant's process runs: what the placeholders stand for."""

    port: int
    database_url: str
    redis_url: str
    folder: Path
    host: str = "127.0.0.1"
    """Where the server listens."""


def fill(text: str, variant: Variant, place: Place) -> str:
    """Return `text` with the known placeholders filled; other braces are left as they are."""
    values = {
        "python": str(variant.python),
        "host": place.host,
        "port": str(place.port),
        "database_url": place.database_url,
        "redis_url": place.redis_url,
        "folder": str(place.folder),
        "size": variant.recipe.size,
        "seed": str(variant.recipe.seed),
    }
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def command(argv: Iterable[str], variant: Variant, place: Place) -> list[str]:
    """Return a command's words, filled."""
    return [fill(word, variant, place) for word in argv]


def shown(argv: Iterable[str], variant: Variant, place: Place) -> str:
    """Return a command as it may be shown: filled, without its Python and without passwords."""
    text = fill(" ".join(argv).replace("{python} ", ""), variant, place)
    return redact(text, password_of(place.database_url), password_of(place.redis_url))


def environment(
    variant: Variant,
    place: Place,
    base: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return a process' environment: the caller's without our own variables, then `extra`, then its own."""
    inherited = os.environ if base is None else base
    kept = {name: value for name, value in inherited.items() if not name.startswith(PRIVATE_PREFIX)}
    own = {name: fill(value, variant, place) for name, value in variant.env.items()}
    return kept | dict(extra or {}) | own
