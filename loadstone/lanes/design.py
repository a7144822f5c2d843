"""From an experiment to the frozen plan: how many generations, how long, in which order, on which tracks."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass

from msgspec.structs import replace

from loadstone import __version__
from loadstone.config.model import Experiment, Variant
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError
from loadstone.record.plan import PLAN_VERSION, Control, Plan, PlannedGeneration, PlannedVariant
from loadstone.secrecy import clean_words
from loadstone.stats import sequential
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.order import start_plan
from loadstone.stats.planning import RunPlan, detectable_at, plan_run, seconds_to_see, smallest_detectable
from loadstone.stats.repeated import Anytime, Stopping
from loadstone.verdict.metrics import BY_NAME, ERROR_MARGIN, GATING, split_name

WARM_S = 0.5
WARM_PAIRS = 20
SHORTEST_S = 1.0
SETTLE_S = 0.2
"""What a generation needs beside starting, warming up, measuring and stopping."""
PAIR_OVERHEAD_S = 0.0015
"""What the generator needs for a pair beside requests: 0.6 ms with one process a variant, 1.2 with ten."""
SHORT_RUN_S = 180.0
"""Budget by which the length of a generation is chosen where no end is planned."""
MOST_OPEN_ENDED = 500
ASSUMED = "assumed"
SPIKE_MARGINS = 2.0
SPIKE_POWER = 0.95
"""With which the plan would find the control that costs more, were the machine as it assumes."""
SPARE = 1.25
"""So many more pairs than a quantile needs are planned for, as generations differ."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What a plan is made for; the defaults are a shared 2-core virtual machine's."""

    pair_sd: float = 0.15
    """SD of one pair's log ratio, at one pace."""
    start_sd: float = 0.003
    """SD of d_g between starts, however long they last."""
    turnover_s: float = 4.0
    """What a generation costs beside measuring: stopping, starting, warming up."""
    request_s: float = 0.010
    """A request's service time, where nothing is known of it."""
    pair_overhead_s: float = PAIR_OVERHEAD_S
    source: str = ASSUMED
    """Where it is known from, as reports say it."""


UNSTARTED = Noise(turnover_s=WARM_S + SETTLE_S)
"""What to plan for where nothing is started."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan depends on beside the experiment."""

    tracks: int = 1
    pinned: bool = False
    pace: bool = False
    noise: Noise = Noise()
    request_s: float | None = None
    """Mean service time that the probe saw; None: not probed."""
    turnover_s: float | None = None
    """What starting, warming up and stopping will take by what the probe saw; None: not probed."""


def make_plan(experiment: Experiment, command: str, setting: Setting | None = None) -> Plan:
    """Return the frozen plan; raises `ConfigurationError` when the budget is too short for a verdict."""
    setting = setting or Setting()
    gating = experiment.gating or GATING
    alpha = contrast_alpha(experiment)
    sequential.require_alpha(experiment.alpha)
    layout = _layout(experiment, setting, alpha)
    looks, nominal_p = _looks(experiment, layout.generations, alpha)
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
        looks=looks,
        nominal_p=nominal_p,
        gating=list(gating),
        margins=dict(experiment.margins),
        settle=dict(experiment.settle),
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
        noise_source=setting.noise.source,
        expected_effect=math.expm1(layout.smallest_effect) if "latency_mean" in gating else None,
        stopping=experiment.stopping,
        spike_share=_spike_share(experiment, layout, nominal_p),
        profile_s=experiment.profile_s,
    )
    return plan if "pair" in plan.lanes else _without_pairs(plan)


def contrast_alpha(experiment: Experiment) -> float:
    """Return the false-alarm rate of each gating contrast."""
    gating = experiment.gating or GATING
    judged = sum(variant.control is None for variant in experiment.variants[1:])
    return sequential.bonferroni(experiment.alpha, len(gating) * judged)


def seconds_needed(
    experiment: Experiment, setting: Setting, effect: float, power: float, most_s: float
) -> float | None:
    """Return the least budget in seconds that sees a relative change of the mean latency with `power`.

    None: it takes more than `most_s`. The plan's own numbers and lengths of generations
    are taken as if they were made for that budget.
    """
    costs = _costs(experiment, setting)
    seconds = seconds_to_see(
        math.log1p(effect),
        costs.turnover_s,
        contrast_alpha(experiment),
        between_variance=costs.between_variance,
        within_variance_s=costs.within_variance_s,
        shortest_s=SHORTEST_S,
        power=power,
        most_s=most_s * setting.tracks,
    )
    return None if seconds is None else seconds / setting.tracks


@dataclass(frozen=True, slots=True)
class _Costs:
    """What a generation costs, and what it tells."""

    turnover_s: float
    pair_s: float
    between_variance: float
    within_variance_s: float
    """Of a generation of one second, beside that between starts."""


def _costs(experiment: Experiment, setting: Setting) -> _Costs:
    """A quiet gap lasts two requests, and pairs with gaps tell nothing of the mean latency."""
    noise, gaps = setting.noise, experiment.gap_share
    requests_s = (setting.request_s or noise.request_s) * len(experiment.variants) * (1 + 2 * gaps)
    pair_s = requests_s / experiment.in_flight + noise.pair_overhead_s
    within = noise.pair_sd**2 * pair_s / (1 - gaps)
    return _Costs(setting.turnover_s or noise.turnover_s, pair_s, noise.start_sd**2, within)


def _layout(experiment: Experiment, setting: Setting, alpha: float) -> RunPlan:
    """Return number and length of generations: as told, or such that the smallest effect is seen.

    Tracks work at the same time, so that together they have so many times the budget.
    """
    if experiment.stopping is Stopping.ANYTIME:
        return _open_ended(experiment, setting, alpha)
    costs, total_s = _costs(experiment, setting), experiment.budget_s * setting.tracks
    if setting.turnover_s is None:
        _require_room(experiment, costs.turnover_s, total_s)
    total_s = max(
        total_s, sequential.FIRST_LOOK * (costs.turnover_s + SHORTEST_S)
    )  # the least, come what may
    if experiment.max_generations:
        return _told(experiment.max_generations, total_s, costs, alpha)
    declared = [BY_NAME[split_name(name)[1]].quantile or 0.0 for name in experiment.gating]
    wanted = max((pairs_needed(q) for q in declared if q), default=0)
    most = total_s / sequential.FIRST_LOOK - costs.turnover_s
    shortest = min(max(SHORTEST_S, SPARE * wanted * costs.pair_s / (1 - experiment.gap_share)), most)
    return plan_run(
        total_s,
        costs.turnover_s,
        alpha,
        between_variance=costs.between_variance,
        within_variance_s=costs.within_variance_s,
        shortest_s=shortest,
    )


def _told(generations: int, total_s: float, costs: _Costs, alpha: float) -> RunPlan:
    """Return the plan with as many generations as the caller wants."""
    count = generations - generations % 2
    length = max(total_s / count - costs.turnover_s, SHORTEST_S)
    sd = math.sqrt(costs.between_variance + costs.within_variance_s / length)
    design = sequential.plan(sequential.even_looks(count), alpha)
    return RunPlan(count, length, sd, smallest_detectable(sd, design))


def _open_ended(experiment: Experiment, setting: Setting, alpha: float) -> RunPlan:
    """Return generations as long as in a short run, and as many as the cap allows."""
    short = dataclasses.replace(
        experiment, stopping=Stopping.SEQUENTIAL, budget_s=min(experiment.budget_s, SHORT_RUN_S)
    )
    layout = _layout(short, setting, alpha)
    turn_s = (layout.generation_s + _costs(short, setting).turnover_s) / setting.tracks
    most = experiment.max_generations or int(experiment.budget_s / turn_s)
    count = min(max(most, sequential.FIRST_LOOK), MOST_OPEN_ENDED)
    effect = detectable_at(layout.residual_sd, count, Anytime(alpha).nominal_p(count))
    return dataclasses.replace(layout, generations=count, smallest_effect=effect)


def _looks(experiment: Experiment, generations: int, alpha: float) -> tuple[list[int], list[float]]:
    """Return after how many generations a run may end, and the p-values of t(G - 2) at which it does."""
    if experiment.stopping is Stopping.ANYTIME:
        looks = tuple(range(sequential.FIRST_LOOK, generations + 1))
        return list(looks), [Anytime(alpha).nominal_p(count) for count in looks]
    looks = sequential.even_looks(generations)
    return list(looks), list(sequential.plan(looks, alpha).nominal_p)


def _spike_share(experiment: Experiment, layout: RunPlan, nominal_p: list[float]) -> float:
    """Return what the control that must be found costs more: twice what matters, or what the plan can see.

    In whole per mille; 0 without such a control.
    """
    if not any(variant.control is Control.SPEECH for variant in experiment.variants):
        return 0.0
    seen = detectable_at(layout.residual_sd, layout.generations, nominal_p[-1], SPIKE_POWER)
    share = max(SPIKE_MARGINS * experiment.margin, math.expm1(seen) if math.isfinite(seen) else 0.0)
    return math.ceil(round(share * 1000, 6)) / 1000


def _require_room(experiment: Experiment, turnover_s: float, total_s: float) -> None:
    needed = sequential.FIRST_LOOK * (turnover_s + SHORTEST_S)
    if total_s < needed:
        least = needed * experiment.budget_s / total_s
        raise ConfigurationError(
            f"a budget of {format_duration(experiment.budget_s)} is too short for a verdict",
            cause=f"it takes at least {sequential.FIRST_LOOK} generations of {turnover_s + SHORTEST_S:.0f} s",
            remedy=f"allow {format_duration(least)} or more with --budget",
        )


def _without_pairs(plan: Plan) -> Plan:
    """Return the plan of a run whose exact facts alone decide."""
    return replace(
        plan, max_generations=0, generations=[], looks=[], nominal_p=[], gating=[], expected_effect=None
    )


def _planned(variant: Variant) -> PlannedVariant:
    return PlannedVariant(
        name=variant.name,
        label=variant.label,
        argv=clean_words(variant.argv),
        toggles=dict(variant.toggles),
        recipe=variant.recipe.key,
        provenance=dict(variant.provenance),
        control=variant.control,
        url=variant.url,
    )
