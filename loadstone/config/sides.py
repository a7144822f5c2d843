"""What the sides of a comparison name: commits, and choices of toggles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadstone.config.load import Project, check_choice
from loadstone.errors import ConfigurationError


def parse_choices(project: Project, text: str) -> dict[str, str]:
    """Return `{"orm": "naive"}` for `orm=naive` (several with commas); raises `ConfigurationError`."""
    choices: dict[str, str] = {}
    for part in text.split(","):
        name, separator, choice = (piece.strip() for piece in part.partition("="))
        if not separator or not name or not choice:
            raise ConfigurationError(
                f"{part.strip()!r} is no choice of a toggle",
                remedy="write TOGGLE=CHOICE, such as orm=naive; `loadstone toggles` lists them",
            )
        if name in choices:
            raise ConfigurationError(f"toggle {name!r} is set twice in {text!r}", remedy="name it once")
        check_choice(project, name, choice)
        choices[name] = choice
    return choices


def split_side(text: str) -> tuple[str, str]:
    """Return the commit and the choices that a side names: `main,orm=naive` is ("main", "orm=naive").

    The commit is empty where none is named, and where it is `.`: the project as it stands.

    Raises:
        ConfigurationError: two commits are named.
    """
    parts = [part.strip() for part in text.split(",")]
    refs = [part for part in parts if part and "=" not in part]
    if len(refs) > 1:
        raise ConfigurationError(
            f"{text!r} names {' and '.join(refs)}",
            cause="a side is one commit, or the project as it stands",
            remedy="write one of them, and choices as TOGGLE=CHOICE",
        )
    choices = ",".join(part for part in parts if part not in refs)
    return "".join(ref for ref in refs if ref != "."), choices


def choices_of(project: Project, text: str) -> dict[str, str]:
    """Return the choices that a side names beside its commit; raises `ConfigurationError`."""
    choices = split_side(text)[1]
    return parse_choices(project, choices) if choices else {}


def all_choices(
    project: Project, sides: Sequence[Mapping[str, str]], held: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return every toggle's choice on each side.

    In this order, the later before the earlier: the toggle's default, what the toggles that are
    compared hold the others at, what the caller holds, what the side itself names.
    """
    named = {name for side in sides for name in side}
    common = {name: toggle.default for name, toggle in project.toggles.items()}
    for name in sorted(named):
        given = project.toggles[name].given.items()
        common |= {key: value for key, value in given if key not in named}
    return [{**common, **held, **side} for side in sides]
