"""From an experiment to the frozen plan: how many generations, how long, in which order."""

from __future__ import annotations

import hashlib

from loadstone import __version__
from loadstone.config.model import Experiment, Variant
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError
from loadstone.record.plan import PLAN_VERSION, Plan, PlannedGeneration, PlannedVariant
from loadstone.stats import sequential
from loadstone.stats.order import start_plan
from loadstone.verdict.metrics import ERROR_MARGIN, GATING

TURNOVER_S = 3.0
"""What a generation costs beside measuring: stopping, starting, warming up."""
WARM_S = 1.0
WARM_PAIRS = 20
SHORTEST_S = 1.0
WISHED_S = 10.0
"""Turnover and measuring of one generation, where the budget allows a choice."""
MOST_GENERATIONS = 16


def make_plan(experiment: Experiment, command: str) -> Plan:
    """Return the frozen plan; raises `ConfigurationError` when the budget is too short for a verdict."""
    count = planned_generations(experiment)
    measure_s = experiment.budget_s / count - TURNOVER_S
    looks = sequential.even_looks(count)
    sequential.plan(looks, experiment.alpha)  # the diagnostics': refused now, not at the first look
    design = sequential.plan(
        looks, sequential.bonferroni(experiment.alpha, len(GATING) * (len(experiment.variants) - 1))
    )
    order = start_plan(count, len(experiment.variants), experiment.seed, "pair")
    return Plan(
        version=PLAN_VERSION,
        loadstone_version=__version__,
        title=experiment.title,
        command=command,
        scenario=experiment.scenario.name,
        scenario_sha256=hashlib.sha256(experiment.scenario.read_bytes()).hexdigest(),
        size=experiment.size,
        state=experiment.state,
        users=experiment.users,
        seed=experiment.seed,
        margin=experiment.margin,
        alpha=experiment.alpha,
        error_margin=ERROR_MARGIN,
        budget_s=experiment.budget_s,
        generation_s=round(measure_s, 3),
        warm_s=WARM_S,
        gap_share=experiment.gap_share,
        max_generations=count,
        looks=list(looks),
        nominal_p=list(design.nominal_p),
        gating=list(GATING),
        variants=[_planned(variant) for variant in experiment.variants],
        generations=[
            PlannedGeneration(
                index=index,
                start_order=[int(one) for one in order.positions[index].argsort()],
                slots=[int(one) for one in order.slots[index]],
            )
            for index in range(count)
        ],
    )


def planned_generations(experiment: Experiment) -> int:
    """Return how many generations fit the budget: even, from the first look to 16, or as told."""
    shortest = TURNOVER_S + SHORTEST_S
    affordable = int(experiment.budget_s / shortest)
    if affordable < sequential.FIRST_LOOK:
        raise ConfigurationError(
            f"a budget of {format_duration(experiment.budget_s)} is too short for a verdict",
            cause=f"it takes at least {sequential.FIRST_LOOK} generations of {shortest:.0f} s",
            remedy=f"allow {format_duration(sequential.FIRST_LOOK * shortest)} or more with --budget",
        )
    wished = experiment.max_generations or int(experiment.budget_s / WISHED_S)
    count = min(wished, affordable, MOST_GENERATIONS)
    count = max(count, sequential.FIRST_LOOK)
    return count - count % 2


def _planned(variant: Variant) -> PlannedVariant:
    return PlannedVariant(
        name=variant.name,
        label=variant.label,
        argv=list(variant.argv),
        toggles=dict(variant.toggles),
        recipe=variant.recipe.key,
        provenance=dict(variant.provenance),
    )
