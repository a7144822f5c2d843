"""The conductor: from an experiment to a judged run in its folder, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loadstone.config.model import Experiment
from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.lanes.design import Noise, Setting, make_plan
from loadstone.lanes.endings import ignore_signals, interruptible, unforeseen, unwritten
from loadstone.lanes.pair import PairLane
from loadstone.lanes.posts import choose_setting, open_posts, probed
from loadstone.lanes.probe import ProbeLane
from loadstone.lanes.profile import ProfileLane
from loadstone.lanes.resuming import kept_setting, require_same, sealed_rows
from loadstone.lanes.view import View
from loadstone.lanes.watcher import Unwatched, Watcher
from loadstone.record.folder import PAGE, new_run_folder, save_result
from loadstone.record.journal import EndLine, Journal, PlanLine, ProbeLine, ResumeLine, UnkeptError, now
from loadstone.record.kept import Kept, seconds_between, to_second
from loadstone.record.machine import describe_machine
from loadstone.record.noise import find_profile, user_folder
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Result, RunStatus
from loadstone.report.files import write_reports
from loadstone.target.cores import Track
from loadstone.target.processes import outliving_children
from loadstone.target.stage import Stage
from loadstone.verdict.assemble import Circumstances, judge_run, read_sealed


@dataclass(frozen=True, slots=True)
class Options:
    """Where a run keeps its things, what serves it, and how it ends."""

    state: Path
    reports: Path
    command: str
    database_url: str | None = None
    redis_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    """Hosts beyond loopback that the service URLs may name."""
    noise: Noise | None = None
    """What to plan for; None: what is known of the machine."""
    watcher: Watcher = field(default_factory=Unwatched)
    """Who is told of offered load beside the view."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that has ended, complete or not."""

    folder: Path
    page: Path
    result: Result
    error: LoadstoneError | None
    interrupted: bool


@dataclass(frozen=True, slots=True)
class _Ending:
    """How measuring ended."""

    status: RunStatus
    reason: str
    error: LoadstoneError | None = None
    interrupted: bool = False
    decided: bool = False


@dataclass(slots=True)
class _Run:
    """A run while it goes on."""

    experiment: Experiment
    options: Options
    view: View
    plan: Plan
    folder: Path
    journal: Journal
    stage: Stage
    setting: Setting
    kept: Kept | None = None
    """Of a run that goes on: what it has measured before."""
    frozen: bool = False

    def __post_init__(self) -> None:
        self.frozen = self.kept is not None

    def freeze(self, plan: Plan) -> None:
        """Open the journal with the plan; from here on it does not change."""
        if not self.frozen:
            self.plan, self.frozen = plan, True
            self.journal.append(PlanLine(plan=plan, at=now(), machine=describe_machine().fingerprint))


def conduct(experiment: Experiment, options: Options, view: View) -> Outcome:
    """Run `experiment` and return its outcome.

    A fault or an interruption once the plan is written still leaves a report of
    what was measured; it is told by `Outcome.error` and `Outcome.interrupted`.

    Raises:
        ConfigurationError: the plan cannot be made or the report folder not written.
    """
    setting = _setting(experiment, options)
    plan = make_plan(experiment, options.command, setting)
    with interruptible(), _open_stage(experiment, options, setting) as stage:
        folder = new_run_folder(options.reports, experiment.title)
        return _run(_Run(experiment, options, view, plan, folder, Journal(folder), stage, setting))


def resume(kept: Kept, experiment: Experiment, options: Options, view: View) -> Outcome:
    """Go on with a run that was cut short, by the plan it has; looks that it took are not taken again.

    Raises:
        ConfigurationError: the experiment or the machine is another one, what was sealed is damaged,
            or the run goes on still.
    """
    setting = kept_setting(kept.plan)
    again = make_plan(experiment, kept.plan.command, setting)
    require_same(kept, again, describe_machine().fingerprint)
    sealed_rows(kept)  # raises before anything is written or started
    with interruptible(), _open_stage(experiment, options, setting) as stage:
        journal = Journal(kept.folder, resume=True)
        run = _Run(experiment, options, view, kept.plan, kept.folder, journal, stage, setting, kept)
        idle_s = round(seconds_between(kept.last_at, now()), 3)
        journal.append(ResumeLine(at=now(), generations=len(kept.generations), idle_s=idle_s))
        return _run(run)


def report_kept(kept: Kept) -> Outcome:
    """Judge a run whose measuring has ended, but which was killed before it was judged.

    Raises:
        ConfigurationError: what was sealed is damaged, or the run is being judged.
    """
    sealed_rows(kept)
    Journal(kept.folder, resume=True).close()  # raises where it is being judged
    result = _report(kept.folder, _circumstances(kept.folder, kept.started_at, kept.last_at, kept.lasted_s))
    return Outcome(kept.folder, kept.folder / PAGE, result, None, interrupted=False)


def plan_ahead(experiment: Experiment, options: Options) -> Plan:
    """Return the plan that a run would begin with; raises `ConfigurationError` where none can be made."""
    return make_plan(experiment, options.command, _setting(experiment, options))


def _setting(experiment: Experiment, options: Options) -> Setting:
    profile = find_profile((options.state, user_folder()), describe_machine().fingerprint)
    external = bool(options.database_url or options.redis_url)
    setting = choose_setting(experiment, external=external, profile=profile)
    return dataclasses.replace(setting, noise=options.noise) if options.noise else setting


def _run(run: _Run) -> Outcome:
    """Measure, judge and report; the stage is closed by the caller."""
    kept, started, begin = run.kept, now(), time.monotonic()
    ending = _end_well(run)
    run.freeze(run.plan)  # where it ended before there was anything to plan by
    ignore_signals()  # what was measured is worth the second that judging it takes
    run.stage.close()
    finished, duration_s = now(), time.monotonic() - begin
    if kept is not None:
        started, duration_s = kept.started_at or started, kept.lasted_s + duration_s
    run.journal.append(_end_line(ending, finished))
    run.journal.close()
    result = _report(run.folder, _circumstances(run.folder, started, finished, duration_s), ending.error)
    return Outcome(run.folder, run.folder / PAGE, result, ending.error, ending.interrupted)


def _end_line(ending: _Ending, at: str) -> EndLine:
    return EndLine(
        status=str(ending.status),
        stop_reason=ending.reason,
        at=at,
        decided=ending.decided,
        cause=ending.error.cause if ending.error else "",
    )


def _circumstances(folder: Path, started: str, finished: str, duration_s: float) -> Circumstances:
    return Circumstances(
        run_id=folder.name,
        started_at=to_second(started),
        finished_at=to_second(finished),
        duration_s=round(duration_s, 3),
        machine=describe_machine(),
    )


def _report(folder: Path, circumstances: Circumstances, fault: LoadstoneError | None = None) -> Result:
    """Judge what is sealed and write the reports; raises `MeasurementError` where they cannot be."""
    try:
        result = judge_run(read_sealed(folder), circumstances)
        save_result(folder, result)
        write_reports(folder, result)
    except OSError as error:
        raise _unwritten(folder, error) from fault or error
    return result


def _unwritten(folder: Path, error: OSError) -> MeasurementError:
    remedy = f"make room, then loadstone resume {folder.name} goes on from what the journal keeps"
    return unwritten(folder, error, remedy)


def _end_well(run: _Run) -> _Ending:
    """Measure, and turn however that ends into an ending."""
    try:
        return _measure(run)
    except KeyboardInterrupt:
        run.view.step("interrupted: stopping what was started")
        return _Ending(RunStatus.PARTIAL, "interrupted", interrupted=True)
    except UnkeptError as error:  # no fault of what is measured: the run may go on where there is room
        return _Ending(RunStatus.PARTIAL, error.problem, error=error)
    except LoadstoneError as error:
        return _Ending(RunStatus.INVALID, error.problem, error=error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, what was measured is reported
        failure = unforeseen(error)
        return _Ending(RunStatus.INVALID, failure.problem, error=failure)


def _measure(run: _Run) -> _Ending:
    experiment, view, stage = run.experiment, run.view, run.stage
    stage.warn_of_others(view.step)
    with ExitStack() as stack:
        stage.prepare(experiment.variants, progress=view.step)
        view.step("starting the load generator")
        posts = open_posts(stack, run.setting, stage, run.folder, experiment.scenario)
        view.step("probing: the same requests to every variant")
        probing = ProbeLane(experiment, stage, posts[0].generator)
        with outliving_children(posts[0].track.cores):  # starts take as long there as they will
            probe = probing.run()
        run.freeze(make_plan(experiment, run.options.command, probed(run.setting, probing)))
        view.planned(run.plan)
        if run.kept is None or not run.kept.probed:
            run.journal.append(ProbeLine(probe=msgspec.Raw(msgspec.json.encode(probe))))
        view.probed(probe)
        if probe.payload.differences:
            return _payloads_differ(probe)
        if "pair" not in run.plan.lanes:
            return _Ending(RunStatus.COMPLETE, "every probed request is counted", decided=True)
        lane = PairLane(
            experiment,
            run.plan,
            stage,
            posts,
            run.journal,
            view,
            refill=probing.writes,
            statements=probing.statements,
            sealed=sealed_rows(run.kept) if run.kept else [],
        )
        reason, decided = lane.run()
        _profile(run, posts[0].track, refill=lane.refill)
        return _Ending(RunStatus.COMPLETE, reason, decided=decided)


def _profile(run: _Run, track: Track, *, refill: bool) -> None:
    """Sample stacks, where the plan says so; all that decides is sealed by now."""
    if run.plan.profile_s:
        run.view.step("sampling stacks of both for the flame graph; ctrl-c leaves that out")
        lane = ProfileLane(run.experiment, run.plan, run.stage, track, run.journal, run.folder, refill)
        lane.run()


def _payloads_differ(probe: Probe) -> _Ending:
    """Variants that return different things cannot be compared: say so at once."""
    first = probe.payload.differences[0]
    error = MeasurementError(
        f"the variants return different payloads for {first.request}",
        cause=f"{first.path}: {first.before} before, {first.after} after",
        remedy="mend the variant, or declare the difference as a payload rule of the toggle",
    )
    return _Ending(RunStatus.INVALID, error.problem, error=error)


def _open_stage(experiment: Experiment, options: Options, setting: Setting) -> Stage:
    return Stage(
        options.state,
        slots=len(experiment.variants) * setting.tracks,
        database_url=options.database_url,
        redis_url=options.redis_url,
        allowed_hosts=options.allowed_hosts,
    )
