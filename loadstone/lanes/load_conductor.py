"""From an experiment under load to a judged run in its folder, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from loadstone.config.crew import Crew
from loadstone.config.model import Experiment
from loadstone.config.offered import Offer
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError, LoadstoneError, MeasurementError
from loadstone.lanes.conductor import Options, Outcome
from loadstone.lanes.design import Setting, make_plan
from loadstone.lanes.endings import ignore_signals, interruptible, unforeseen, writing_to
from loadstone.lanes.load_compare import LoadLane, probed_line
from loadstone.lanes.load_posts import open_generator, sendable
from loadstone.lanes.posts import open_posts
from loadstone.lanes.probe import ProbeLane
from loadstone.lanes.view import View
from loadstone.lanes.watcher import Watcher
from loadstone.record.folder import PAGE, new_run_folder, save_result
from loadstone.record.load_comparison import ComparisonEndLine, DesignLine, LoadDesign
from loadstone.record.load_record import LoadJournal
from loadstone.record.machine import describe_machine
from loadstone.record.result import RunStatus
from loadstone.report.files import write_reports
from loadstone.stats import sequential
from loadstone.stats.streams import stream
from loadstone.target.stage import Stage
from loadstone.verdict.assemble import Circumstances
from loadstone.verdict.load_comparison import judge_comparison, read_sealed_load
from loadstone.verdict.load_levels import LOAD_GATING

BLOCK_S = 2.0
GAP_S = 0.25
WARM_S = 1.0
TURNOVER_S = 5.0
"""What a generation costs beside blocks and warm-up: stopping, starting, making users."""
GENERATION_S = 15.0
"""Wished length of a generation, turnover included."""
MOST_GENERATIONS = 16


def make_load_design(experiment: Experiment, offer: Offer, command: str) -> LoadDesign:
    """Return the frozen design; raises `ConfigurationError` when the budget is too short for a verdict."""
    if offer.rate is None:
        raise ConfigurationError("a comparison under load needs a rate", remedy="add --rate 200")
    if offer.rate.replayed:
        raise ConfigurationError(
            "recorded traffic cannot be compared in blocks yet", remedy="run it with loadstone load"
        )
    variants = len(experiment.variants)
    couple_s = variants * (BLOCK_S + GAP_S)
    overhead_s = TURNOVER_S + variants * WARM_S
    count, couples = _layout(experiment, couple_s, overhead_s)
    alpha = sequential.bonferroni(experiment.alpha, len(LOAD_GATING) * (variants - 1))
    looks = sequential.even_looks(count)
    base = make_plan(_told_generations(experiment, count), command, Setting())
    plan = replace(
        base,
        title=f"{base.title} at {offer.rate.text}",
        lanes=("probe", "load"),
        gating=list(LOAD_GATING),
        looks=list(looks),
        nominal_p=list(sequential.plan(looks, alpha).nominal_p),
        generation_s=round(couples * couple_s, 3),
        warm_s=WARM_S,
        gap_share=0.0,
        noise_source="",
        expected_effect=None,
    )
    duration_s = offer.rate.duration_s
    windows = couples if math.isinf(duration_s) else max(1, int(duration_s / BLOCK_S))
    return LoadDesign(
        plan=plan,
        rate=offer.rate.text,
        block_s=min(BLOCK_S, duration_s),
        gap_s=GAP_S,
        windows=windows,
        couples=couples,
        orders=[_orders(couples, variants, experiment.seed, index) for index in range(count)],
        most_users=offer.most_users,
        most_backlog=offer.most_backlog,
        drain_s=offer.drain_s,
        most_lag_us=offer.most_lag_us,
        workers=offer.crew.total,
    )


def _told_generations(experiment: Experiment, count: int) -> Experiment:
    """Return the experiment with its number of generations told, as its pair lane would plan another."""
    return dataclasses.replace(experiment, max_generations=count, gating=(), lanes=("probe", "pair"))


def _layout(experiment: Experiment, couple_s: float, overhead_s: float) -> tuple[int, int]:
    """Return the number of generations, and of couples of blocks in each."""
    least = sequential.FIRST_LOOK
    shortest_s = overhead_s + couple_s
    if experiment.budget_s < least * shortest_s:
        raise ConfigurationError(
            f"a budget of {format_duration(experiment.budget_s)} is too short for a verdict under load",
            cause=f"it takes at least {least} generations of {shortest_s:.0f} s",
            remedy=f"allow {format_duration(least * shortest_s + 1)} or more with --budget",
        )
    wished = experiment.max_generations or int(experiment.budget_s / GENERATION_S)
    count = max(least, min(wished, MOST_GENERATIONS, int(experiment.budget_s / shortest_s)))
    count -= count % 2
    return count, max(1, int((experiment.budget_s / count - overhead_s) / couple_s))


def _orders(couples: int, variants: int, seed: int, generation: int) -> list[list[int]]:
    """Return the order of the variants in each couple: random, and each order equally often where it can."""
    rng = stream(seed, "load", generation, "order")
    forward = list(range(variants))
    if variants > 2:  # noqa: PLR2004 - two have only two orders
        return [rng.sample(forward, variants) for _ in range(couples)]
    first = [forward, forward[::-1]]
    rng.shuffle(first)
    orders = [first[couple % 2] for couple in range(couples)]
    rng.shuffle(orders)
    return orders


@dataclass(frozen=True, slots=True)
class _Ending:
    status: RunStatus
    reason: str
    error: LoadstoneError | None = None
    interrupted: bool = False
    decided: bool = False


def conduct_load(experiment: Experiment, offer: Offer, options: Options, view: View) -> Outcome:
    """Compare variants under load and return the outcome; what was measured is reported in any case.

    Raises:
        ConfigurationError: the design cannot be made, or the report folder not written.
    """
    design = make_load_design(experiment, offer, options.command)
    with interruptible(), _open_stage(experiment, options, offer.crew) as stage:
        folder = new_run_folder(options.reports, f"{experiment.title} load")
        named = [(each.name, each.label) for each in experiment.variants]
        options.watcher.began(folder.name, design.plan.title, named)
        with writing_to(folder):
            journal = LoadJournal(folder)
            journal.append(DesignLine(design=design))
        started, begin = _now(), time.monotonic()
        ending = _end_well(experiment, offer.crew, design, stage, folder, journal, view, options.watcher)
        ignore_signals()  # what was measured is worth the second that judging it takes
        stage.other_runs()  # those that came later
        stage.close()
        with writing_to(folder, ending.error):
            journal.append(_end_line(ending, stage.most_others))
            journal.close()
            circumstances = Circumstances(
                run_id=folder.name,
                started_at=started,
                finished_at=_now(),
                duration_s=round(time.monotonic() - begin, 3),
                machine=describe_machine(),
            )
            result = judge_comparison(read_sealed_load(folder), circumstances)
            save_result(folder, result)
            write_reports(folder, result)
    options.watcher.looked(result.contrasts)
    options.watcher.ended(result.verdict.verdict)
    return Outcome(folder, folder / PAGE, result, ending.error, ending.interrupted)


def _end_well(
    experiment: Experiment,
    crew: Crew,
    design: LoadDesign,
    stage: Stage,
    folder: Path,
    journal: LoadJournal,
    view: View,
    watcher: Watcher,
) -> _Ending:
    try:
        return _measure(experiment, crew, design, stage, folder, journal, view, watcher)
    except KeyboardInterrupt:
        view.step("interrupted: stopping what was started")
        return _Ending(RunStatus.PARTIAL, "interrupted", interrupted=True)
    except LoadstoneError as error:
        return _Ending(RunStatus.INVALID, error.problem, error=error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, what was measured is reported
        failure = unforeseen(error)
        return _Ending(RunStatus.INVALID, failure.problem, error=failure)


def _end_line(ending: _Ending, others: int) -> ComparisonEndLine:
    return ComparisonEndLine(
        status=str(ending.status),
        stop_reason=ending.reason,
        at=_now(),
        decided=ending.decided,
        cause=ending.error.cause if ending.error else "",
        other_runs=others,
    )


def _measure(
    experiment: Experiment,
    crew: Crew,
    design: LoadDesign,
    stage: Stage,
    folder: Path,
    journal: LoadJournal,
    view: View,
    watcher: Watcher,
) -> _Ending:
    stage.warn_of_others(view.step)
    stage.prepare(experiment.variants, progress=view.step)
    with ExitStack() as stack:
        view.step("probing: the same requests to both variants")
        posts = open_posts(stack, Setting(), stage, folder, experiment.scenario)
        probing = ProbeLane(experiment, stage, posts[0].generator)
        probe = probing.run()
    view.planned(design.plan)
    journal.append(probed_line(probe))
    view.probed(probe)
    if probe.payload.differences:
        first = probe.payload.differences[0]
        raise MeasurementError(
            f"the variants return different payloads for {first.request}",
            cause=f"{first.path}: {first.before} before, {first.after} after",
            remedy="mend the variant, or declare the difference as a payload rule of the toggle",
        )
    with open_generator(stage, folder, crew, title=design.plan.title, tell=view.step) as generator:
        generator.admit_no_others()
        generator.load(experiment.scenario)
        view.step("finding out what this generator can send")
        lane = LoadLane(
            experiment,
            design,
            stage,
            generator,
            journal,
            view,
            refill=probing.writes,
            sendable_rps=sendable(generator, stage, folder),
            watcher=watcher,
        )
        watcher.sendable(lane.sendable_rps)
        reason, decided = lane.run()
    return _Ending(RunStatus.COMPLETE, reason, decided=decided)


def _open_stage(experiment: Experiment, options: Options, crew: Crew) -> Stage:
    return Stage(
        options.state,
        slots=len(experiment.variants),
        database_url=options.database_url,
        redis_url=options.redis_url,
        allowed_hosts=options.allowed_hosts,
        listen=crew.listen,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
