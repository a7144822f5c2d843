"""From the toggles of a matrix to comparisons: each holds some combinations against the base."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from loadstone import __version__
from loadstone.config.compile import Wish, compile_experiment, compile_variants
from loadstone.config.load import Project, check_choice, suggest
from loadstone.config.model import Experiment
from loadstone.errors import ConfigurationError
from loadstone.record.matrix_result import Factor, MatrixPlan
from loadstone.stats import factorial

BESIDE = 3
"""Cells that one comparison holds against the base: four variants are resident at once."""
GENERATIONS = 6


@dataclasses.dataclass(frozen=True, slots=True)
class MatrixWish:
    """What the command line asks for; None leaves it to `loadstone.toml`."""

    toggles: tuple[str, ...]
    full: bool = False
    held: tuple[str, ...] = ()
    scenario: str | None = None
    size: str | None = None
    budget: str | None = None
    margin: str | None = None
    alpha: str | None = None
    seed: int = 1
    users: int | None = None
    generations: int = GENERATIONS


def parse_factor(project: Project, text: str) -> Factor:
    """Return the factor of `orm`, or of `orm=naive:prefetch`; raises `ConfigurationError`.

    A toggle alone stands for the first gain that it claims: from what, to what. Without a claim,
    for its first two choices.
    """
    name, separator, choices = (part.strip() for part in text.partition("="))
    if name not in project.toggles:
        raise ConfigurationError(f"unknown toggle {name!r}", remedy=suggest(name, list(project.toggles)))
    toggle = project.toggles[name]
    if not separator:
        claimed = next(iter(toggle.claims.values()), None)
        off, on = (claimed.before, claimed.after) if claimed else toggle.choices[:2]
        return Factor(name=name, off=off, on=on)
    parts = [part.strip() for part in choices.split(":")]
    if len(parts) != 2 or parts[0] == parts[1]:  # noqa: PLR2004 - two levels
        raise ConfigurationError(
            f"{text!r} names no two choices",
            remedy=f"write {name}=OFF:ON, such as {name}={':'.join(toggle.choices[:2])}",
        )
    for part in parts:
        check_choice(project, name, part)
    return Factor(name=name, off=parts[0], on=parts[1])


def compile_matrix(project: Project, wish: MatrixWish, command: str) -> tuple[MatrixPlan, list[Experiment]]:
    """Return the frozen plan of a matrix, and its comparisons; raises `ConfigurationError`."""
    factors = [parse_factor(project, text) for text in wish.toggles]
    _check(factors)
    half = len(factors) == factorial.MOST_FACTORS and not wish.full
    signs = factorial.design(len(factors), half=half)
    cells = list(range(1, len(signs)))
    random.Random(wish.seed).shuffle(cells)  # noqa: S311 - a plan, not a secret
    blocks = factorial.partition(cells, BESIDE)
    labels = [_choices(factors, row > 0) for row in signs]
    whole = _experiment(project, wish, labels[0], _choices(factors, [True] * len(factors)))
    budget_s = whole.budget_s if wish.budget else whole.budget_s * len(blocks)
    variants, _, _ = compile_variants(project, labels, wish.held, wish.scenario, wish.size)
    variants[0] = dataclasses.replace(variants[0], name="before")
    title = f"matrix {', '.join(factor.name for factor in factors)}"
    experiments = [
        dataclasses.replace(
            whole,
            title=f"{title}, part {number} of {len(blocks)}",
            variants=(variants[0], *(variants[cell] for cell in block)),
            budget_s=budget_s / len(blocks),
            seed=wish.seed + number - 1,
        )
        for number, block in enumerate(blocks, start=1)
    ]
    plan = MatrixPlan(
        loadstone_version=__version__,
        title=title,
        command=command,
        factors=factors,
        half=half,
        cells=[[bool(one > 0) for one in row] for row in signs],
        blocks=[list(block) for block in blocks],
        generations=wish.generations,
        budget_s=budget_s,
        margin=whole.margin,
        alpha=whole.alpha,
        scenario=whole.scenario.name,
        size=whole.size,
        seed=wish.seed,
    )
    return plan, experiments


def _experiment(project: Project, wish: MatrixWish, off: str, on: str) -> Experiment:
    """Return the comparison of everything off with everything on: its rules serve all that lie between."""
    return compile_experiment(
        project,
        Wish(
            before=off,
            after=on,
            held=wish.held,
            scenario=wish.scenario,
            size=wish.size,
            budget=wish.budget,
            margin=wish.margin,
            alpha=wish.alpha,
            seed=wish.seed,
            users=wish.users,
            generations=wish.generations,
        ),
    )


def _check(factors: Sequence[Factor]) -> None:
    names = [factor.name for factor in factors]
    if len(set(names)) < len(names):
        raise ConfigurationError("a toggle is named twice", remedy="name each once, as TOGGLE=OFF:ON")
    if not factorial.LEAST_FACTORS <= len(names) <= factorial.MOST_FACTORS:
        raise ConfigurationError(
            f"{len(names)} toggles make no matrix",
            cause=f"it has {factorial.LEAST_FACTORS} to {factorial.MOST_FACTORS}: each doubles the time",
            remedy="compare one alone with loadstone compare; of many, take the most promising",
        )


def _choices(factors: Sequence[Factor], on: Sequence[bool]) -> str:
    return ",".join(
        f"{factor.name}={factor.on if chosen else factor.off}"
        for factor, chosen in zip(factors, on, strict=True)
    )
