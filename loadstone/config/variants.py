"""A variant of the project, and the recipe of its data, from choices of toggles."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from loadstone.config.companions import companions_for
from loadstone.config.load import Project, require_available
from loadstone.config.model import Recipe, Scope, Source, Variant
from loadstone.config.units import parse_duration
from loadstone.errors import ConfigurationError

NOT_THE_PROJECT = frozenset({".git", ".loadstone", ".venv", "venv", "node_modules"})
"""Folders whose files `data.inputs` never means: a wide glob would find other projects' in them."""


def base_recipe(project: Project, size: str, source: Source | None = None) -> Recipe:
    """Return the recipe that all variants of `size` start from, or those of one commit.

    Commits whose `data.inputs` are alike share their data; where none are named, each has its own.
    """
    data = project.raw.data
    inputs = _digest(source.root if source else project.root, data.inputs)
    return Recipe(
        prepare=tuple(tuple(command) for command in data.prepare),
        size=size,
        seed=data.seed,
        inputs=inputs if data.inputs or source is None else source.commit,
    )


def variant_of(
    project: Project,
    name: str,
    label: str,
    choices: Mapping[str, str],
    size: str,
    secret: str,
    source: Source | None = None,
) -> Variant:
    """Return one variant; raises `ConfigurationError` where a choice is not available here.

    Args:
        project: whose target and data these are.
        name: of the variant.
        label: as people read it.
        choices: of every toggle.
        size: of its data.
        secret: what `{secret}` stands for.
        source: the commit that it is of; None: the project as it stands.
    """
    require_available(project, choices)
    target = project.raw.target
    if not target.command:
        raise ConfigurationError(
            "there is nothing to start",
            cause=f"{project.path.name} has no [target]",
            remedy="compare deployments by their URLs, or write a [target] with the command of the app",
        )
    environment = {key: value.replace("{secret}", secret) for key, value in target.env.items()}
    ddl: list[str] = []
    for toggle_name, choice in choices.items():
        toggle = project.toggles[toggle_name]
        environment[toggle.env] = choice
        if toggle.scope is Scope.SCHEMA:
            ddl += toggle.ddl.get(choice, ())
    base = base_recipe(project, size, source)
    own = own_python(project)
    return Variant(
        name=name,
        label=label,
        argv=tuple(target.command),
        directory=((source.root if source else project.root) / target.directory).resolve(),
        env=environment,
        recipe=Recipe(base.prepare, base.size, base.seed, tuple(ddl), base.inputs),
        health_path=target.health,
        python=(source.python if source else None) or own,
        start_timeout_s=parse_duration(target.start_timeout),
        toggles=dict(choices),
        provenance=dict(source.provenance) if source else {},
        needs_postgres=project.raw.data.postgres,
        needs_redis=project.raw.data.redis,
        companions=companions_for(project, choices),
    )


def own_python(project: Project) -> Path:
    """Return what `{python}` stands for in the project as it stands; a path counts from its folder."""
    named = project.raw.target.python
    if not named:
        return Path(sys.executable)
    return project.root / named if "/" in named else Path(named)


def _digest(root: Path, patterns: list[str]) -> str:
    """Return a digest of the files that `patterns` name, by path and content."""
    digest = hashlib.sha256()
    try:
        named = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
        for path in sorted(named):
            own = path.relative_to(root)
            if not NOT_THE_PROJECT & set(own.parts):
                digest.update(own.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    except (ValueError, NotImplementedError, OSError) as error:
        raise ConfigurationError(
            "data.inputs cannot be read", cause=str(error), remedy="give globs relative to loadstone.toml"
        ) from error
    return digest.hexdigest()[:16]
