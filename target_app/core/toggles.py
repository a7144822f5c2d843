"""The toggles: declared in `toggles.toml`, chosen by environment variables.

The file is the one source. Settings, `GET /toggles`, the page in `docs/` and
`.env.example` derive from it.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

DECLARATION = Path(__file__).resolve().parent.parent / "toggles.toml"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a comparison of a choice with another one is expected to show."""

    before: str
    metric: str
    direction: str
    scenario: str
    at_least: str = ""
    at_most: str = ""
    """In place of `at_least`."""
    says: str = ""
    endpoint: str = ""
    size: str = ""
    in_flight: int = 1
    given: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Toggle:
    """One named choice, as declared."""

    name: str
    title: str
    choices: tuple[str, ...]
    default: str
    env: str
    scope: str
    claim: str
    price: str
    scenario: str
    claims: dict[str, Expectation] = field(default_factory=dict)
    """By choice: what it gains."""
    prices: dict[str, Expectation] = field(default_factory=dict)
    """By choice: what it costs, where that can be measured."""
    given: dict[str, str] = field(default_factory=dict)
    normalise: tuple[str, ...] = ()
    ddl: dict[str, tuple[str, ...]] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    """By choice: the variable that must be set, or the choice is not available here."""
    programs: dict[str, str] = field(default_factory=dict)
    """By choice: the program that must be installed, or the choice is not available here."""

    def absent(self, choice: str, value_of: Callable[[str, str], str]) -> str:
        """Return why a choice is not available here; empty where it is."""
        variable, program = self.needs.get(choice), self.programs.get(choice)
        if variable and not value_of(variable, ""):
            return f"{variable} is not set"
        if program and not shutil.which(program):
            return f"no program {program} is on the PATH"
        return ""


def declared(path: Path = DECLARATION) -> dict[str, Toggle]:
    """Return the declared toggles by name, in the file's order."""
    tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    tables.pop("rules", None)
    return {name: _toggle(name, table) for name, table in tables.items()}


def choice(name: str) -> str:
    """Return the active choice of a toggle."""
    active: dict[str, str] = settings.TOGGLES
    return active[name]


def _toggle(name: str, table: dict[str, Any]) -> Toggle:
    return Toggle(
        name=name,
        title=table["title"],
        choices=tuple(table["choices"]),
        default=table["default"],
        env=table["env"],
        scope=table["scope"],
        claim=table["claim"],
        price=table["price"],
        scenario=table["scenario"],
        claims=_expectations(table, "claims"),
        prices=_expectations(table, "prices"),
        given=dict(table.get("given", {})),
        normalise=tuple(table.get("normalise", ())),
        ddl={key: tuple(statements) for key, statements in table.get("ddl", {}).items()},
        needs=dict(table.get("needs", {})),
        programs=dict(table.get("programs", {})),
    )


def _expectations(table: dict[str, Any], kind: str) -> dict[str, Expectation]:
    found: dict[str, dict[str, Any]] = table.get(kind, {})
    return {choice: Expectation(**{"scenario": table["scenario"], **each}) for choice, each in found.items()}
