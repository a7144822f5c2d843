"""Which processes run beside a variant's server: those that its toggles ask for."""

from __future__ import annotations

from collections.abc import Mapping

from loadstone.config.load import Project
from loadstone.config.model import Companion


def companions_for(project: Project, choices: Mapping[str, str]) -> tuple[Companion, ...]:
    """Return the companions of a variant with these choices, in the order in which they are declared."""
    return tuple(
        Companion(name, tuple(raw.command), raw.ready)
        for name, raw in project.raw.target.companions.items()
        if all(choices[toggle] == choice for toggle, choice in raw.when.items())
    )
