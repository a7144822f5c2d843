"""The load lane for a comparison: short blocks of one plan, alternating between variants, by generation.

A generation starts every variant afresh. Its blocks come in couples: each variant once,
in random, balanced order, with identical arrivals. Between blocks is a gap in which
nothing is sent, so that work which a variant defers is done, and charged to it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec

from loadstone.config.model import Experiment
from loadstone.config.rates import parse_rate
from loadstone.errors import MeasurementError
from loadstone.lanes.load_posts import refuse_too_much, require_everybody
from loadstone.lanes.load_show import Showing
from loadstone.lanes.view import View
from loadstone.lanes.watcher import Unwatched, Watcher
from loadstone.record.journal import CpuSeconds, now
from loadstone.record.load_comparison import LoadBlock, LoadDesign, LoadGenerationLine, ProbedLine
from loadstone.record.load_record import LoadJournal
from loadstone.record.machine import CpuSampler
from loadstone.record.probed import Probe
from loadstone.record.recording import Recording
from loadstone.stats.verdicts import Verdict
from loadstone.target.cpu import CpuReading
from loadstone.target.rest import PATIENCE_S, await_rest
from loadstone.target.stage import Generation, Stage
from loadstone.verdict.load_contrasts import load_contrasts
from loadstone.verdict.load_levels import LoadMeasured, LoadObservations
from loadstone.verdict.rules import rules_at
from loadstone.workload.arrivals import arrivals_per_second
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock, Second
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.protocol import Side

FIRST_USERS = 4
OVERTIME = 1.05
GUARD_BOUNDS = 3
"""Least gap between blocks, in bounds of the workers' clocks."""


@dataclass
class LoadLane:
    """Measures one experiment under load, generation by generation."""

    experiment: Experiment
    design: LoadDesign
    stage: Stage
    generator: LoadGenerator
    journal: LoadJournal
    view: View
    refill: bool
    sendable_rps: float | None = None
    watcher: Watcher = field(default_factory=Unwatched)
    measured: list[LoadMeasured] = field(default_factory=list)
    _shown: Recording = field(default_factory=Recording)
    _showing: Showing | None = None
    _sent_s: list[float] = field(default_factory=list)

    def run(self) -> tuple[str, bool]:
        """Measure until decided or spent; return why it ended, and whether the data ended it.

        Raises:
            TargetError: something of the target died.
            MeasurementError: the generator died, or the plan is beyond it.
        """
        plan, begin = self.design.plan, time.monotonic()
        for index in range(plan.max_generations):
            self._measure(index)
            count = len(self.measured)
            if self._decided(count):
                return f"every gating metric that can be measured is decided after {count} generations", True
            spent = time.monotonic() - begin
            if plan.looks[0] <= count < plan.max_generations and spent * (count + 1) / count > (
                OVERTIME * plan.budget_s
            ):
                return f"the budget is spent after {count} of {plan.max_generations} generations", False
        return f"the planned {plan.max_generations} generations are measured", True

    def _decided(self, count: int) -> bool:
        rules = rules_at(self.design.plan, count, ended=False)
        if rules is None:
            return False
        observations = LoadObservations(len(self.design.plan.variants), self.measured)
        contrasts = load_contrasts(observations, rules, gating_only=True)
        self.view.looked(count, contrasts)
        self.watcher.looked(contrasts)
        return not any(one.available and one.verdict is Verdict.INCONCLUSIVE for one in contrasts)

    def _measure(self, index: int) -> None:
        planned, variants = self.design.plan.generations[index], self.experiment.variants
        cast = [(variants[one], planned.slots[one]) for one in planned.start_order]
        self.view.measuring(index, 0.0, 0)
        self.watcher.generation(index)
        with self.stage.generation(cast, refill=self.refill) as running:
            sides = [Side(variant=each.name, base_url=running[each.name].base_url) for each in variants]
            self.watcher.serving({each.variant: each.base_url for each in sides})
            self._open(index, sides, running)
            running.settle()
            machine, begin = CpuSampler(), time.monotonic()
            blocks, requests, schedule, errors = self._blocks(index, running)
            duration_s, steal, ended_at = time.monotonic() - begin, machine.steal(), now()
            self.generator.close_sides()
            running.check()
        self.watcher.serving({})
        line = LoadGenerationLine(
            index=index,
            requests=self.journal.seal(requests),
            schedule=self.journal.seal(schedule),
            blocks=blocks,
            steal=steal,
            scenario_errors=len(errors),
            first_error=next(iter(errors), ""),
            duration_s=duration_s,
            ended_at=ended_at,
        )
        self.journal.append(line)
        self.measured.append(LoadMeasured(line, requests, schedule))

    def _open(self, index: int, sides: list[Side], running: Generation) -> None:
        """Make the users, and warm every variant up with the plan's own load."""
        design = self.design
        order = OpenSides(
            sides=sides,
            key=[design.plan.seed, "load", index],
            users=min(FIRST_USERS, design.most_users),
            most_users=design.most_users,
            most_backlog=design.most_backlog,
        )
        self.generator.open_sides(order)
        for side in range(len(sides)):
            done, requests = self._run_block(side, (0.0, design.plan.warm_s), [index, "warm"], running)[:2]
            if index == 0:
                self._refuse_too_much(requests.total / max(done.begun, 1))

    def _blocks(
        self, index: int, running: Generation
    ) -> tuple[list[LoadBlock], Recording, Recording, list[str]]:
        blocks: list[LoadBlock] = []
        requests, schedule = Recording(), Recording()
        errors: list[str] = []
        for couple, order in enumerate(self.design.orders[index]):
            start_s = couple % self.design.windows * self.design.block_s
            window = start_s, start_s + self.design.block_s
            for side in order:
                before = self._cpu(running, side)
                done, sent, planned = self._run_block(side, window, [index, "block", couple], running)
                # three bounds: no worker may still send to one variant while another begins with the next
                time.sleep(max(self.design.gap_s, GUARD_BOUNDS * self.generator.clock_bound_s))
                self._rest(running, side)
                spent = self._cpu(running, side) - before
                blocks.append(_block(side, couple, self.design.block_s, done, spent))
                # only what is told over the whole generation: seconds of different blocks are not alike
                requests.add(Recording(sent.cells))
                schedule.add(Recording(planned.cells))
                errors += [done.first_error] * done.scenario_errors
                self._show(side, sent)
                share = len(blocks) / (self.design.couples * len(order))
                self.view.measuring(index, share, sum(block.begun for block in blocks))
        return blocks, requests, schedule, errors

    def _show(self, side: int, sent: Recording) -> None:
        """Give the web UI what a block brought; its stop button ends the run as Ctrl-C does."""
        if self.generator.master is None:
            return
        if self._showing is None:
            variants = [(each.name, each.label) for each in self.experiment.variants]
            self._showing = Showing(self.design.plan.title, variants)
            self._sent_s = [0.0] * len(variants)
        if self.generator.end_wished:
            raise KeyboardInterrupt
        self._shown.add(Recording(sent.cells))
        self._sent_s[side] += self.design.block_s
        self._showing.add(side, sum(self._sent_s), sent)
        self.generator.show(self._showing.page(self._shown, self._sent_s))

    def _run_block(
        self, side: int, window: tuple[float, float], key: list[int | str], running: Generation
    ) -> tuple[BlockDone, Recording, Recording]:
        order = RunBlock(
            side=side,
            rate=self.design.rate,
            start_s=window[0],
            stop_s=window[1],
            key=[self.design.plan.seed, "load", *key],
            drain_s=self.design.drain_s,
            shares=[(0, 1, 0)],
        )
        planned = arrivals_per_second(parse_rate(self.design.rate), *window).tolist()
        measured = "warm" not in key

        def on_second(second: Second, requests: Recording, schedule: Recording) -> bool:
            if measured:
                self.watcher.second(side, second, requests, schedule, planned)
            return True

        try:
            ran = self.generator.run(order, on_second)
        except MeasurementError:
            running.check()  # a dead server explains more than a generator that lost it
            raise
        require_everybody(ran[0], self.design.workers)
        _require_sum(ran[0])
        if measured:
            self.watcher.block_over(side, *ran, planned)
        return ran

    def _rest(self, running: Generation, side: int) -> None:
        """Wait until a variant's companions have done what the block left them, so that it is charged to it.

        Raises:
            MeasurementError: they have not within half a minute.
        """
        one = running[self.experiment.variants[side].name]
        if not await_rest(one.restless()):
            running.check()
            raise MeasurementError(
                f"the companions of {one.variant.label} do not come to rest",
                cause=f"{PATIENCE_S:g} s after a block of load they still work on what it left them",
                remedy="offer less, or let companions do more at once",
            )

    def _cpu(self, running: Generation, side: int) -> CpuReading:
        return running[self.experiment.variants[side].name].cpu()

    def _refuse_too_much(self, requests_per_arrival: float) -> None:
        rate = parse_rate(self.design.rate)
        top = float(arrivals_per_second(rate, 0.0, self.design.windows * self.design.block_s).max())
        refuse_too_much(top * requests_per_arrival, self.sendable_rps, self.generator.workers)


def probed_line(probe: Probe) -> ProbedLine:
    """Return the journal's line of what the probe saw."""
    return ProbedLine(probe=msgspec.Raw(msgspec.json.encode(probe)))


def _require_sum(done: BlockDone) -> None:
    """Require that the workers' counts are the plan's; raises `MeasurementError` where they are not."""
    if done.mismatch:
        raise MeasurementError("the workers' counts are not the plan's", cause=done.mismatch)


def _block(side: int, couple: int, planned_s: float, done: BlockDone, spent: CpuReading) -> LoadBlock:
    return LoadBlock(
        variant=side,
        couple=couple,
        planned_s=planned_s,
        due=done.due,
        begun=done.begun,
        not_sent=done.not_sent,
        unfinished=done.unfinished,
        duration_s=done.duration_s,
        generator_cpu_s=done.cpu_s,
        clock_drift_s=done.clock_drift_s,
        workers=len(done.workers),
        clock_bound_s=max((one.clock_bound_us for one in done.workers), default=0.0) / 1e6,
        clock_moved_s=max((one.clock_moved_us for one in done.workers), default=0.0) / 1e6,
        cpu=CpuSeconds(
            server_s=spent.server_s,
            database_s=spent.database_s,
            cache_s=spent.cache_s,
            companions_s=spent.companions_s,
        ),
    )
