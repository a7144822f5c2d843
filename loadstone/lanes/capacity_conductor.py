"""From an experiment to a judged search for capacity in its folder, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadstone.config.capacity import CapacityExperiment
from loadstone.errors import ConfigurationError, LoadstoneError
from loadstone.lanes.capacity import CapacityLane
from loadstone.lanes.capacity_design import CapacityView, make_capacity_plan
from loadstone.lanes.capacity_windows import Windows
from loadstone.lanes.conductor import Options
from loadstone.lanes.endings import ignore_signals, interruptible, unforeseen, writing_to
from loadstone.lanes.load_posts import open_generator, sendable
from loadstone.record.capacity_record import (
    CAPACITY_JOURNAL,
    CapacityEndLine,
    CapacityPlan,
    CapacityPlanLine,
    GeneratorLine,
)
from loadstone.record.capacity_result import CapacityResult, save_capacity
from loadstone.record.folder import new_run_folder
from loadstone.record.load_record import LoadJournal
from loadstone.record.machine import describe_machine
from loadstone.record.result import RunStatus
from loadstone.report.capacity_files import write_capacity_reports
from loadstone.target.cores import usable_cores
from loadstone.target.processes import outliving_children
from loadstone.target.stage import Stage
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity


@dataclass(frozen=True, slots=True)
class CapacityOutcome:
    """A search that has ended, complete or not."""

    folder: Path
    result: CapacityResult
    error: LoadstoneError | None
    interrupted: bool


@dataclass(frozen=True, slots=True)
class _Ending:
    status: RunStatus
    reason: str
    error: LoadstoneError | None = None


def conduct_capacity(experiment: CapacityExperiment, options: Options, view: CapacityView) -> CapacityOutcome:
    """Search, judge and report; what was measured is reported in any case.

    Raises:
        ConfigurationError: the report folder cannot be written.
    """
    cores, own = split_cores(usable_cores(), experiment.crew.local) if experiment.pinned else ((), ())
    plan = make_capacity_plan(experiment, options.command, cores)
    with interruptible(), _open_stage(experiment, options) as stage:
        folder = new_run_folder(options.reports, f"capacity {experiment.title}")
        with writing_to(folder):
            journal = LoadJournal(folder, CAPACITY_JOURNAL)
            journal.append(CapacityPlanLine(plan=plan))
        started, begun = _now(), time.monotonic()
        ending = _end_well(_Search(experiment, plan, stage, folder, journal, view, own))
        ignore_signals()  # what was measured is worth the second that judging it takes
        stage.other_runs()  # those that came later
        stage.close()
        error = ending.error
        with writing_to(folder, error):
            journal.append(
                CapacityEndLine(
                    status=str(ending.status),
                    stop_reason=ending.reason,
                    at=_now(),
                    duration_s=round(time.monotonic() - begun, 3),
                    cause=error.cause if error else "",
                    other_runs=stage.most_others,
                )
            )
            journal.close()
            result = judge_capacity(read_sealed_capacity(folder), (folder.name, started), describe_machine())
            save_capacity(folder, result)
            write_capacity_reports(folder, result)
    return CapacityOutcome(folder, result, error, ending.status is RunStatus.PARTIAL)


def split_cores(cores: Sequence[int], workers: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the cores of the target, and those of so many generators, one each.

    Raises:
        ConfigurationError: there is none left for the target.
    """
    if len(cores) <= workers:
        raise ConfigurationError(
            f"{workers} generators cannot have cores of their own",
            cause=f"{len(cores)} cores may be used, and the target needs one",
            remedy="leave out --pin, or use fewer --workers",
        )
    return tuple(cores[: len(cores) - workers]), tuple(cores[len(cores) - workers :])


@dataclass(frozen=True, slots=True)
class _Search:
    experiment: CapacityExperiment
    plan: CapacityPlan
    stage: Stage
    folder: Path
    journal: LoadJournal
    view: CapacityView
    generator_cores: tuple[int, ...]


def _end_well(search: _Search) -> _Ending:
    try:
        return _measure(search)
    except KeyboardInterrupt:
        search.view.step("interrupted: stopping what was started")
        return _Ending(RunStatus.PARTIAL, "interrupted")
    except LoadstoneError as error:
        return _Ending(RunStatus.INVALID, error.problem, error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, what was measured is reported
        failure = unforeseen(error)
        return _Ending(RunStatus.INVALID, failure.problem, failure)


def _measure(search: _Search) -> _Ending:
    experiment, plan, stage, view = search.experiment, search.plan, search.stage, search.view
    stage.warn_of_others(view.step)
    stage.prepare(experiment.variants, progress=view.step)
    crew = experiment.crew
    view.step("starting the load generator" + (f": {crew.total} workers" if crew.total > 1 else ""))
    with ExitStack() as stack:
        opened = open_generator(stage, search.folder, crew, title=plan.title, tell=view.step)
        with outliving_children(search.generator_cores):
            generator = stack.enter_context(opened)
        generator.load(experiment.scenario)
        generator.admit_no_others()  # a window with other workers would not be like those before it
        view.step("finding out what this generator can send")
        stack.enter_context(outliving_children(plan.target_cores))
        sendable_rps = sendable(generator, stage, search.folder)
        search.journal.append(GeneratorLine(sendable_rps=sendable_rps))
        windows = Windows(plan, generator, search.journal)
        lane = CapacityLane(experiment, plan, stage, windows, search.journal, view, sendable_rps)
        return _Ending(RunStatus.COMPLETE, lane.run())


def _open_stage(experiment: CapacityExperiment, options: Options) -> Stage:
    return Stage(
        options.state,
        slots=len(experiment.variants),
        database_url=options.database_url,
        redis_url=options.redis_url,
        allowed_hosts=options.allowed_hosts,
        listen=experiment.crew.listen,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
