"""From an experiment to the frozen plan: how many generations, how long, in which order, on which tracks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from msgspec.structs import replace

from loadstone import __version__
from loadstone.config.model import Experiment, Variant
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError
from loadstone.record.plan import PLAN_VERSION, Plan, PlannedGeneration, PlannedVariant
from loadstone.stats import sequential
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.order import start_plan
from loadstone.stats.planning import RunPlan, plan_run
from loadstone.verdict.metrics import BY_NAME, ERROR_MARGIN, GATING

WARM_S = 0.5
WARM_PAIRS = 20
SHORTEST_S = 1.0
PAIR_OVERHEAD_S = 0.003
"""What the generator needs for a pair beside the requests."""
SPARE = 1.25
"""So many more pairs than a quantile needs are planned for, as generations differ."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What a machine's floor is made of; the defaults are a shared 2-core virtual machine's."""

    pair_sd: float = 0.15
    """SD of one pair's log ratio, at one pace."""
    start_sd: float = 0.003
    """SD of d_g between starts, however long they last."""
    turnover_s: float = 4.0
    """What a generation costs beside measuring: stopping, starting, warming up."""
    request_s: float = 0.010
    """A request's service time, where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan depends on beside the experiment."""

    tracks: int = 1
    pinned: bool = False
    pace: bool = False
    noise: Noise = Noise()
    request_s: float | None = None
    """Mean service time that the probe saw; None: not probed."""


def make_plan(experiment: Experiment, command: str, setting: Setting | None = None) -> Plan:
    """Return the frozen plan; raises `ConfigurationError` when the budget is too short for a verdict."""
    setting = setting or Setting()
    gating = experiment.gating or GATING
    alpha = sequential.bonferroni(experiment.alpha, len(gating) * (len(experiment.variants) - 1))
    layout = _layout(experiment, setting, alpha)
    looks = sequential.even_looks(layout.generations)
    sequential.plan(looks, experiment.alpha)  # the diagnostics': refused now, not at the first look
    design = sequential.plan(looks, alpha)
    order = start_plan(layout.generations, len(experiment.variants), experiment.seed, "pair")
    plan = Plan(
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
        generation_s=round(layout.generation_s, 3),
        warm_s=WARM_S,
        gap_share=experiment.gap_share,
        max_generations=layout.generations,
        looks=list(looks),
        nominal_p=list(design.nominal_p),
        gating=list(gating),
        variants=[_planned(variant) for variant in experiment.variants],
        generations=[
            PlannedGeneration(
                index=index,
                start_order=[int(one) for one in order.positions[index].argsort()],
                slots=[int(one) for one in order.slots[index]],
                track=index % setting.tracks,
            )
            for index in range(layout.generations)
        ],
        in_flight=experiment.in_flight,
        tracks=setting.tracks,
        pinned=setting.pinned,
        pace=setting.pace,
        steady=experiment.steady,
        fail_on=experiment.fail_on,
        lanes=experiment.lanes,
    )
    return plan if "pair" in plan.lanes else _without_pairs(plan)


def _layout(experiment: Experiment, setting: Setting, alpha: float) -> RunPlan:
    """Return number and length of generations: as told, or such that the smallest effect is seen.

    Tracks work at the same time, so that together they have so many times the budget.
    """
    noise, total_s = setting.noise, experiment.budget_s * setting.tracks
    pair_s = (setting.request_s or noise.request_s) * len(experiment.variants)
    pair_s = pair_s * (1 + 2 * experiment.gap_share) / experiment.in_flight + PAIR_OVERHEAD_S
    _require_room(experiment, noise, total_s)
    if experiment.max_generations:
        count = experiment.max_generations - experiment.max_generations % 2
        length = max(total_s / count - noise.turnover_s, SHORTEST_S)
        return RunPlan(count, length, 0.0, 0.0)
    declared = [BY_NAME[name].quantile or 0.0 for name in experiment.gating]
    wanted = max((pairs_needed(q) for q in declared if q), default=0)
    most = total_s / sequential.FIRST_LOOK - noise.turnover_s
    shortest = min(max(SHORTEST_S, SPARE * wanted * pair_s / (1 - experiment.gap_share)), most)
    return plan_run(
        total_s,
        noise.turnover_s,
        alpha,
        between_variance=noise.start_sd**2,
        within_variance_s=noise.pair_sd**2 * pair_s,
        shortest_s=shortest,
    )


def _require_room(experiment: Experiment, noise: Noise, total_s: float) -> None:
    needed = sequential.FIRST_LOOK * (noise.turnover_s + SHORTEST_S)
    if total_s < needed:
        least = needed * experiment.budget_s / total_s
        raise ConfigurationError(
            f"a budget of {format_duration(experiment.budget_s)} is too short for a verdict",
            cause=f"it takes at least {sequential.FIRST_LOOK} generations of "
            f"{noise.turnover_s + SHORTEST_S:.0f} s",
            remedy=f"allow {format_duration(least)} or more with --budget",
        )


def _without_pairs(plan: Plan) -> Plan:
    """Return the plan of a run whose exact facts alone decide."""
    return replace(plan, max_generations=0, generations=[], looks=[], nominal_p=[], gating=[])


def _planned(variant: Variant) -> PlannedVariant:
    return PlannedVariant(
        name=variant.name,
        label=variant.label,
        argv=list(variant.argv),
        toggles=dict(variant.toggles),
        recipe=variant.recipe.key,
        provenance=dict(variant.provenance),
    )
