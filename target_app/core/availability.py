"""Which choices of toggles need PostgreSQL, and what stands in for a default that does."""

from __future__ import annotations

from collections.abc import Mapping

VENDORS = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL"}
_POSTGRES_ONLY: dict[str, tuple[str, ...]] = {
    "orm": ("values",),  # arrays of tags
    "search": ("fulltext",),  # tsvector
    "db_connections": ("pgbouncer",),
    "count": ("estimated",),  # the planner's estimate as JSON
    "rating": ("computed", "annotated"),  # means in floats round otherwise than those that are stored
}
_MISSING: dict[str, dict[str, tuple[str, ...]]] = {
    "postgresql": {},
    "sqlite": _POSTGRES_ONLY | {"indexes": ("covering",)},
    # neither IF NOT EXISTS nor partial indexes
    "mysql": _POSTGRES_ONLY | {"indexes": ("single", "composite", "covering", "partial")},
}


def missing(vendor: str, toggle: str) -> tuple[str, ...]:
    """Return the choices of a toggle that are not available on a database of `vendor`."""
    return _MISSING[vendor].get(toggle, ())


def resolve(
    vendor: str,
    chosen: Mapping[str, str],
    defaults: Mapping[str, str],
    choices: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, str], list[str]]:
    """Return choices that are available on a database, and what is wrong with those that are not.

    Args:
        vendor: as Django names it.
        chosen: the choice of each toggle.
        defaults: what each toggle is without being chosen: another one stands in for it.
        choices: all of each toggle.
    """
    found, problems = dict(chosen), []
    for toggle, choice in chosen.items():
        absent = missing(vendor, toggle)
        if choice not in absent:
            continue
        rest = [one for one in choices[toggle] if one not in absent]
        if choice == defaults[toggle]:
            found[toggle] = rest[0]
        else:
            problems.append(
                f"{toggle}={choice} is not available on {VENDORS[vendor]}: choose from {', '.join(rest)}"
            )
    return found, problems
