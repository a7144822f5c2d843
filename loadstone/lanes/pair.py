"""The pair lane: generations of paired requests, until the looks decide or the budget ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadstone.errors import MeasurementError
from loadstone.explain.plans import plans_fingerprint
from loadstone.lanes.design import WARM_PAIRS
from loadstone.lanes.probe import UNSAFE
from loadstone.lanes.view import View
from loadstone.record.journal import CpuSeconds, GenerationLine, Journal, UserHash
from loadstone.record.machine import CpuSampler
from loadstone.record.observations import Rows, rows_from_bytes
from loadstone.record.plan import Plan
from loadstone.stats.verdicts import Verdict
from loadstone.target.clean import other_runs
from loadstone.target.cpu import CpuReading
from loadstone.target.sql import session
from loadstone.target.stage import Generation, Running, Stage
from loadstone.verdict.contrasts import all_contrasts, rules_at
from loadstone.verdict.levels import gather
from loadstone.workload.protocol import PairsDone, RunPairs, Side
from loadstone.workload.remote import Generator

if TYPE_CHECKING:
    from loadstone.config.model import Experiment

MOST_PAIRS = 200_000
OVERTIME = 1.05
"""Share of the budget that may be used up; a verdict's least number of generations is measured anyway."""


@dataclass
class PairLane:
    """Measures one experiment, generation by generation."""

    experiment: Experiment
    plan: Plan
    stage: Stage
    generator: Generator
    journal: Journal
    view: View
    refill: bool
    """Whether the scenario writes, so that every generation starts from unchanged data."""
    statements: dict[str, list[str]] = field(default_factory=dict)
    """Examples of each variant's reading statements, whose plans are watched."""
    sealed: list[tuple[GenerationLine, Rows]] = field(default_factory=list)

    def run(self) -> tuple[str, bool]:
        """Measure until decided or spent; return why it ended, and whether the data ended it.

        Raises:
            TargetError: something of the target died.
            MeasurementError: the generator died or was misled.
        """
        begin = time.monotonic()
        for index in range(self.plan.max_generations):
            self._measure(index)
            count = len(self.sealed)
            if self._decided(count):
                return f"every gating metric that can be measured is decided after {count} generations", True
            if count >= self.plan.looks[0] and count < self.plan.max_generations:
                spent = time.monotonic() - begin
                if spent * (count + 1) / count > OVERTIME * self.plan.budget_s:
                    planned = self.plan.max_generations
                    return f"the budget is spent after {count} of {planned} generations", False
        return f"the planned {self.plan.max_generations} generations are measured", True

    def _decided(self, count: int) -> bool:
        rules = rules_at(self.plan, count, ended=False)
        if rules is None:
            return False
        contrasts = all_contrasts(gather(len(self.plan.variants), self.sealed), rules, gating_only=True)
        self.view.looked(count, contrasts)
        open_ones = [one for one in contrasts if one.available and one.verdict is Verdict.INCONCLUSIVE]
        return not open_ones

    def _measure(self, index: int) -> None:
        planned = self.plan.generations[index]
        variants = self.experiment.variants
        cast = [(variants[one], planned.slots[one]) for one in planned.start_order]
        self.view.measuring(index, 0.0, 0)
        with self.stage.generation(cast, refill=self.refill) as running:
            fingerprints = [self._plans(running[variant.name]) for variant in variants]
            watch = _Watch(self, running, index)
            done = self._drive(running, watch, index)
            spent = watch.cpu_spent()
            memory = [running[variant.name].memory_bytes() for variant in variants]
        if not done.pairs:
            raise MeasurementError(
                "a generation sent no request",
                cause=done.first_error or done.stopped_early or "the scenario made none",
                remedy="check the scenario with stock Locust",
            )
        self._seal(index, done, spent, memory, watch.steal, fingerprints)

    def _plans(self, running: Running) -> str:
        """Return the fingerprint of the plans that the variant's database chooses now."""
        statements = self.statements.get(running.variant.name, [])
        if not statements or not running.database_url:
            return ""
        with session(running.database_url) as database:
            return plans_fingerprint(database.run, statements)

    def _drive(self, running: Generation, watch: _Watch, index: int) -> PairsDone:
        plan = RunPairs(
            sides=[
                Side(variant=variant.name, base_url=running[variant.name].base_url)
                for variant in self.experiment.variants
            ],
            users=self.plan.users,
            seed=self.plan.seed,
            generation=index,
            health_path=self.experiment.variants[0].health_path,
            warm_s=self.plan.warm_s,
            warm_pairs=WARM_PAIRS,
            measure_s=self.plan.generation_s,
            max_pairs=MOST_PAIRS,
            gap_share=self.plan.gap_share,
        )
        try:
            done = self.generator.run_pairs(
                plan, on_ready=watch.begin, on_progress=watch.progress, on_measured=watch.end
            )
        except MeasurementError:
            running.check()  # a dead server explains more than a generator that lost it
            raise
        running.check()
        return done

    def _seal(
        self,
        index: int,
        done: PairsDone,
        spent: list[CpuReading],
        memory: list[int],
        steal: float | None,
        fingerprints: list[str],
    ) -> None:
        line = GenerationLine(
            index=index,
            chunk=self.journal.seal(done.rows),
            rows=len(rows_from_bytes(done.rows)),
            steps=done.steps,
            cpu=[
                CpuSeconds(
                    server_s=reading.server_s,
                    database_s=reading.database_s,
                    cache_s=reading.cache_s,
                    memory_bytes=used,
                )
                for reading, used in zip(spent, memory, strict=True)
            ],
            users=[
                UserHash(
                    user=user.user,
                    steps=user.steps,
                    checkpoints={str(count): digest for count, digest in user.checkpoints.items()},
                )
                for user in done.users
            ],
            pairs=done.pairs,
            diverged=done.diverged,
            iterations=done.iterations,
            duration_s=done.duration_s,
            generator_cpu_s=done.generator_cpu_s,
            steal=steal,
            scenario_errors=done.scenario_errors,
            first_error=done.first_error,
            plan_fingerprints=fingerprints,
            stopped_early=done.stopped_early,
            other_runs=len(other_runs(self.stage.state, own=self.stage.token)),
        )
        self.journal.append(line)
        # a rare write may come up that the probe never saw
        self.refill |= any(step.partition(" ")[0] in UNSAFE for step in done.steps)
        self.sealed.append((line, rows_from_bytes(done.rows)))


class _Watch:
    """Readings at both ends of the timed part of a generation."""

    def __init__(self, lane: PairLane, running: Generation, index: int) -> None:
        self._lane = lane
        self._running = running
        self._index = index
        self._before: list[CpuReading] = []
        self._after: list[CpuReading] = []
        self._begin = 0.0
        self._machine = CpuSampler()
        self.steal: float | None = None

    def begin(self) -> None:
        """Read everything, right before the first timed request."""
        self._machine = CpuSampler()
        self._before = self._read()
        self._begin = time.monotonic()

    def end(self) -> None:
        """Read everything again, right after the last."""
        self._after = self._read()
        self.steal = self._machine.steal()

    def progress(self, pairs: int) -> None:
        """Pass progress on, and notice a process that has gone."""
        self._running.check()
        share = (time.monotonic() - self._begin) / self._lane.plan.generation_s
        self._lane.view.measuring(self._index, min(1.0, share), pairs)

    def cpu_spent(self) -> list[CpuReading]:
        """Return each variant's CPU seconds between the readings, by variant index."""
        return [after - before for before, after in zip(self._before, self._after, strict=True)]

    def _read(self) -> list[CpuReading]:
        return [self._running[variant.name].cpu() for variant in self._lane.experiment.variants]
