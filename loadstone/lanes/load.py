"""The load lane for one variant: start it, warm it, offer what was planned, watch thresholds."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loadstone.config.crew import Crew
from loadstone.config.offered import LoadExperiment
from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.lanes.conductor import Options
from loadstone.lanes.endings import ignore_signals, interruptible, unforeseen, writing_to
from loadstone.lanes.load_design import LoadView, make_load_plan
from loadstone.lanes.load_posts import open_generator, refuse_too_much, sendable, spent_s
from loadstone.lanes.load_show import Showing
from loadstone.lanes.watcher import Watcher
from loadstone.record.folder import LOAD_RESULT, new_run_folder, write_atomically
from loadstone.record.journal import now
from loadstone.record.load_record import BlockLine, LoadEndLine, LoadJournal, LoadPlan, LoadPlanLine
from loadstone.record.load_result import LoadResult
from loadstone.record.machine import CpuSampler, describe_machine
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.record.result import RunStatus
from loadstone.target.stage import Generation, Stage
from loadstone.verdict.offered import Gate, judge_load
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock, RunCrowd, Second
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.protocol import Side

FIRST_USERS = 4


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """A load run that has ended, complete or not."""

    folder: Path
    result: LoadResult | None
    """None where nothing was measured."""
    error: LoadstoneError | None
    interrupted: bool


@dataclass(slots=True)
class _Seen:
    """What is known so far, whatever happens next."""

    gate: Gate
    requests: Recording = field(default_factory=Recording)
    schedule: Recording = field(default_factory=Recording)
    last: Second | None = None
    done: BlockDone | None = None
    aborted: str = ""
    sendable_rps: float | None = None
    server_cpu_s: float | None = None
    steal: float | None = None
    begun: float = 0.0


def run_load(experiment: LoadExperiment, options: Options, view: LoadView) -> LoadOutcome:
    """Offer load to a variant and return what came of it; what was measured is reported in any case.

    Raises:
        ConfigurationError: the report folder cannot be written.
    """
    plan = make_load_plan(experiment, options.command)
    with interruptible(), _open_stage(options, experiment.offer.crew) as stage:
        folder = new_run_folder(options.reports, f"load {experiment.title}")
        options.watcher.began(folder.name, experiment.title, [(experiment.variant.label,) * 2])
        return _Run(experiment, plan, view, options.watcher, folder, LoadJournal(folder), stage).run()


class _Run:
    """A load run while it goes on."""

    def __init__(
        self,
        experiment: LoadExperiment,
        plan: LoadPlan,
        view: LoadView,
        watcher: Watcher,
        folder: Path,
        journal: LoadJournal,
        stage: Stage,
    ) -> None:
        self._experiment = experiment
        self._plan = plan
        self._view = view
        self._watcher = watcher
        self._folder = folder
        self._journal = journal
        self._stage = stage
        self._seen = _Seen(Gate(plan))

    def run(self) -> LoadOutcome:
        """Measure, judge and write the result."""
        started = now()
        self._view.planned(self._plan)
        with writing_to(self._folder):
            self._journal.append(LoadPlanLine(plan=self._plan))
        error: LoadstoneError | None = None
        status, reason = RunStatus.COMPLETE, "the plan is carried out"
        try:
            self._measure()
        except KeyboardInterrupt:
            self._view.step("interrupted: stopping what was started")
            status, reason = RunStatus.PARTIAL, "interrupted"
        except LoadstoneError as fault:
            error, status, reason = fault, RunStatus.INVALID, fault.problem
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong, what was measured is reported
            error, status = unforeseen(fault), RunStatus.INVALID
            reason = error.problem
        ignore_signals()  # what was measured is worth the second that judging it takes
        if self._seen.aborted:
            reason = f"a threshold broke: {self._seen.aborted}"
        self._stage.other_runs()  # those that came later
        self._stage.close()
        self._watcher.ended(None)
        with writing_to(self._folder, error):
            others = self._stage.most_others
            end = LoadEndLine(status=str(status), stop_reason=reason, at=now(), other_runs=others)
            result = self._finish(end, started)
        return LoadOutcome(self._folder, result, error, status is RunStatus.PARTIAL)

    def _finish(self, end: LoadEndLine, started: str) -> LoadResult | None:
        """Seal what was recorded, judge it, and write the result; None where there is nothing."""
        block = self._block_line()
        if block is not None:
            self._journal.append(block)
        self._journal.append(end)
        self._journal.close()
        if block is None:
            return None
        seen = self._seen
        result = judge_load(
            self._plan,
            block,
            seen.requests,
            seen.schedule,
            seen.gate.findings(),
            end,
            (self._folder.name, started),
            describe_machine(),
        )
        text = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
        write_atomically(self._folder / LOAD_RESULT, text)
        return result

    def _measure(self) -> None:
        experiment, stage, view = self._experiment, self._stage, self._view
        stage.warn_of_others(view.step)
        with ExitStack() as stack:
            stage.prepare([experiment.variant], progress=view.step)
            crew = experiment.offer.crew
            view.step("starting the load generator" + (f": {crew.total} workers" if crew.total > 1 else ""))
            opened = open_generator(stage, self._folder, crew, title=experiment.title, tell=view.step)
            generator = stack.enter_context(opened)
            generator.load(experiment.scenario)
            if experiment.offer.rate is not None:
                view.step("finding out what this generator can send")
                self._seen.sendable_rps = sendable(generator, stage, self._folder)
                self._watcher.sendable(self._seen.sendable_rps)
            view.step("starting the variant")
            running = stack.enter_context(stage.generation([(experiment.variant, 0)]))
            self._watcher.serving({experiment.variant.label: running["it"].base_url})
            stack.callback(self._watcher.serving, {})
            self._watcher.generation(0)
            if experiment.offer.rate is not None:
                self._run_open(generator, running)
            else:
                self._run_closed(generator, running)

    def _run_open(self, generator: LoadGenerator, running: Generation) -> None:
        offer, seed = self._experiment.offer, self._experiment.seed
        side = Side(variant="it", base_url=running["it"].base_url)
        generator.open_sides(
            OpenSides(
                sides=[side],
                key=[seed, "load", 0],
                users=min(FIRST_USERS, offer.most_users),
                most_users=offer.most_users,
                most_backlog=offer.most_backlog,
            )
        )
        per_arrival = 1.0
        if offer.warm_s:
            self._view.step(f"warming up for {offer.warm_s:g} s")
            warm = self._block("warm", min(offer.warm_s, offer.duration_s))
            done, requests, _ = generator.run(warm, lambda *_: self._go_on(running))
            sent = requests.total - requests.count(outcomes=(Outcome.NOT_SENT,))
            per_arrival = sent / max(done.begun, 1)
        if offer.rate is not None:
            refuse_too_much(offer.rate.peak_rps * per_arrival, self._seen.sendable_rps, generator.workers)
        self._view.step(f"offering {self._experiment.title}")
        self._offer(generator, running, self._block("measure", offer.duration_s))
        with suppress(MeasurementError):
            generator.close_sides()

    def _run_closed(self, generator: LoadGenerator, running: Generation) -> None:
        offer = self._experiment.offer
        order = RunCrowd(
            base_url=running["it"].base_url,
            users=offer.users,
            spawn_rate=offer.spawn_rate,
            seconds=offer.duration_s,
            key=[self._experiment.seed, "load", 0],
            tags=list(offer.tags),
            exclude_tags=list(offer.exclude_tags),
        )
        self._view.step(f"running {offer.users} users")
        self._offer(generator, running, order)

    def _block(self, purpose: str, stop_s: float) -> RunBlock:
        offer = self._experiment.offer
        return RunBlock(
            side=0,
            rate=self._plan.rate,
            start_s=0.0,
            stop_s=stop_s,
            key=[self._experiment.seed, "load", 0, purpose],
            drain_s=offer.drain_s,
            shares=[(0, 1, 0)],
        )

    def _offer(self, generator: LoadGenerator, running: Generation, order: RunBlock | RunCrowd) -> None:
        """Run the measured part; what it brought is in `_seen`, however it ends."""
        seen, it = self._seen, running["it"]
        running.settle()
        before, machine, seen.begun = it.cpu(), CpuSampler(), time.monotonic()
        showing = Showing(self._experiment.title, [("it", self._experiment.variant.label)])

        def on_second(second: Second, requests: Recording, schedule: Recording) -> bool:
            seen.requests, seen.schedule, seen.last = requests, schedule, second
            seen.server_cpu_s, seen.steal = spent_s(it, before), machine.steal()
            self._view.second(second, requests, self._planned(second.elapsed_s - 1))
            self._watcher.second(0, second, requests, schedule, seen.gate.planned)
            seen.aborted = seen.gate.feed(requests, second.elapsed_s)
            if self._experiment.offer.crew.web:
                _show(generator, showing, second.elapsed_s, requests)
            return self._go_on(running) and not seen.aborted

        try:
            seen.done, seen.requests, seen.schedule = generator.run(order, on_second)
            self._watcher.block_over(0, seen.done, seen.requests, seen.schedule, seen.gate.planned)
        except MeasurementError:
            running.check()  # a dead server explains more than a generator that lost it
            raise
        seen.server_cpu_s, seen.steal = spent_s(it, before), machine.steal()
        seen.gate.close(seen.requests, cut=bool(seen.aborted))

    def _planned(self, second: int) -> float | None:
        planned = self._seen.gate.planned
        return planned[second] if second < len(planned) else None

    def _go_on(self, running: Generation) -> bool:
        running.check()
        return True

    def _block_line(self) -> BlockLine | None:
        seen, done = self._seen, self._seen.done
        if done is None and not seen.requests.total:
            return None
        last_cpu = seen.last.cpu_s if seen.last else 0.0
        sent = seen.requests.total
        return BlockLine(
            requests=self._journal.seal(seen.requests),
            schedule=self._journal.seal(seen.schedule),
            due=done.due if done else sent,
            begun=done.begun if done else sent,
            not_sent=done.not_sent if done else 0,
            unfinished=done.unfinished if done else 0,
            users=done.users if done else 0,
            backlog=done.backlog if done else 0,
            scenario_errors=done.scenario_errors if done else 0,
            first_error=done.first_error if done else "",
            duration_s=done.duration_s if done else time.monotonic() - seen.begun,
            generator_cpu_s=done.cpu_s if done else last_cpu,
            clock_drift_s=done.clock_drift_s if done else 0.0,
            server_cpu_s=seen.server_cpu_s,
            steal=seen.steal,
            sendable_rps=seen.sendable_rps,
            aborted=seen.aborted if done else "it did not come to its end",
            planned=done.planned if done else None,
            lost=done.lost if done else 0,
            mismatch=done.mismatch if done else "",
            workers=done.workers if done else [],
        )


def _show(generator: LoadGenerator, showing: Showing, elapsed_s: int, requests: Recording) -> None:
    """Give the web UI what there is; its stop button ends the run as Ctrl-C does."""
    if generator.end_wished:
        raise KeyboardInterrupt
    showing.add(0, float(elapsed_s), requests.between(elapsed_s - 1, elapsed_s))
    generator.show(showing.page(requests, [float(elapsed_s)]))


def _open_stage(options: Options, crew: Crew) -> Stage:
    return Stage(
        options.state,
        slots=1,
        database_url=options.database_url,
        redis_url=options.redis_url,
        allowed_hosts=options.allowed_hosts,
        listen=crew.listen,
    )
