"""The conductor: from an experiment to a judged run in its folder, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

from loadstone.config.model import Experiment
from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.lanes.design import Noise, Setting, make_plan
from loadstone.lanes.pair import PairLane
from loadstone.lanes.posts import choose_setting, open_posts, probed
from loadstone.lanes.probe import ProbeLane
from loadstone.lanes.view import View
from loadstone.lanes.watcher import Unwatched, Watcher
from loadstone.record.folder import PAGE, new_run_folder, save_result
from loadstone.record.journal import EndLine, Journal, PlanLine, ProbeLine
from loadstone.record.machine import describe_machine
from loadstone.record.noise import find_profile, user_folder
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Result, RunStatus
from loadstone.report.files import write_reports
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
    frozen: bool = False

    def freeze(self, plan: Plan) -> None:
        """Open the journal with the plan; from here on it does not change."""
        if not self.frozen:
            self.plan, self.frozen = plan, True
            self.journal.append(PlanLine(plan=self.plan))


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


def _setting(experiment: Experiment, options: Options) -> Setting:
    profile = find_profile((options.state, user_folder()), describe_machine().fingerprint)
    external = bool(options.database_url or options.redis_url)
    setting = choose_setting(experiment, external=external, profile=profile)
    return dataclasses.replace(setting, noise=options.noise) if options.noise else setting


def _run(run: _Run) -> Outcome:
    """Measure, judge and report; the stage is closed by the caller."""
    started, begin = datetime.now(UTC), time.monotonic()
    ending = _end_well(run)
    run.freeze(run.plan)  # where it ended before there was anything to plan by
    _ignore_signals()  # what was measured is worth the second that judging it takes
    run.stage.close()
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        result = _judge(
            run, ending, started.isoformat(timespec="seconds"), finished, time.monotonic() - begin
        )
        save_result(run.folder, result)
        write_reports(run.folder, result)
    except OSError as error:
        raise MeasurementError(
            f"the report could not be written to {run.folder}",
            cause=str(error),
            remedy="make room and repeat the run; its journal keeps what was measured",
        ) from ending.error or error
    return Outcome(run.folder, run.folder / PAGE, result, ending.error, ending.interrupted)


def _judge(run: _Run, ending: _Ending, started: str, finished: str, duration_s: float) -> Result:
    run.journal.append(
        EndLine(
            status=str(ending.status),
            stop_reason=ending.reason,
            at=finished,
            decided=ending.decided,
            cause=ending.error.cause if ending.error else "",
        )
    )
    run.journal.close()
    circumstances = Circumstances(
        run_id=run.folder.name,
        started_at=started,
        finished_at=finished,
        duration_s=round(duration_s, 3),
        machine=describe_machine(),
    )
    return judge_run(read_sealed(run.folder), circumstances)


def _end_well(run: _Run) -> _Ending:
    """Measure, and turn however that ends into an ending."""
    try:
        return _measure(run)
    except KeyboardInterrupt:
        run.view.step("interrupted: stopping what was started")
        return _Ending(RunStatus.PARTIAL, "interrupted", interrupted=True)
    except LoadstoneError as error:
        return _Ending(RunStatus.INVALID, error.problem, error=error)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, what was measured is reported
        failure = MeasurementError(
            "the run could not go on",
            cause=f"{type(error).__name__}: {error}",
            remedy="mend that and repeat the run; if it is no fault of the machine, report it",
        )
        return _Ending(RunStatus.INVALID, failure.problem, error=failure)


def _measure(run: _Run) -> _Ending:
    experiment, view, stage = run.experiment, run.view, run.stage
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
        )
        reason, decided = lane.run()
        return _Ending(RunStatus.COMPLETE, reason, decided=decided)


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


def _endings() -> list[signal.Signals]:
    """Return the signals that end a run; who starts it under nohup wants it to outlive the terminal."""
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]


def _ignore_signals() -> None:
    for one in _endings():
        signal.signal(one, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal to end into KeyboardInterrupt; later ones do not disturb the clean-up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        _ignore_signals()
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in _endings()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
