"""The pair lane: generations of paired requests, until the looks decide or the budget ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadstone.errors import MeasurementError
from loadstone.explain.plans import plans_fingerprint
from loadstone.lanes.design import WARM_PAIRS
from loadstone.lanes.probe import UNSAFE
from loadstone.lanes.tracks import Progress, Tell, Tracks
from loadstone.lanes.view import View
from loadstone.lanes.watch import Watch
from loadstone.record.journal import CpuSeconds, GenerationLine, Journal, UserHash, now
from loadstone.record.observations import Rows, rows_from_bytes, spikes_from_bytes
from loadstone.record.plan import Control, Plan, PlannedGeneration
from loadstone.stats.streams import stream_seed
from loadstone.target.cores import Track
from loadstone.target.cpu import CpuReading
from loadstone.target.sql import session
from loadstone.target.stage import Generation, Running, Stage
from loadstone.verdict.contrasts import all_contrasts
from loadstone.verdict.controls import heard
from loadstone.verdict.judging import is_open, unsettled
from loadstone.verdict.levels import gather
from loadstone.verdict.rules import rules_at
from loadstone.verdict.spikes import charged
from loadstone.workload.protocol import PairsDone, RunPairs, Side
from loadstone.workload.remote import Generator

if TYPE_CHECKING:
    from loadstone.config.model import Experiment

MOST_PAIRS = 200_000
OVERTIME = 1.05
"""Share of the budget that may be used up; a verdict's least number of generations is measured anyway."""


@dataclass(frozen=True)
class Post:
    """What a track has of its own: a generator, and the sampler of its core's pace."""

    track: Track
    generator: Generator
    pace_file: str = ""


@dataclass(frozen=True)
class _Measured:
    """One generation, before it is sealed."""

    index: int
    done: PairsDone
    spent: list[CpuReading]
    memory: list[int]
    steal: float | None
    fingerprints: list[str]
    turnover_s: float
    ended_at: str


@dataclass
class PairLane:
    """Measures one experiment, generation by generation."""

    experiment: Experiment
    plan: Plan
    stage: Stage
    posts: Sequence[Post]
    journal: Journal
    view: View
    refill: bool
    """Whether the scenario writes, so that every generation starts from unchanged data."""
    statements: dict[str, list[str]] = field(default_factory=dict)
    """Examples of each variant's reading statements, whose plans are watched."""
    sealed: list[tuple[GenerationLine, Rows]] = field(default_factory=list)
    """What is measured, a control's extra cost charged to its CPU too; not empty where a run goes on."""

    def run(self) -> tuple[str, bool]:
        """Measure until decided or spent; return why it ended, and whether the data ended it.

        Raises:
            TargetError: something of the target died.
            MeasurementError: a generator died or was misled.
        """
        self.refill |= any(_writes(line) for line, _ in self.sealed)
        begin = time.monotonic() - self._lasted_s()
        if self.sealed and (ended := self._ended(begin)):
            return ended
        tracks = Tracks(
            cores=[post.track.cores for post in self.posts],
            measure=self._measure,
            cut_short=self._cut_short,
            on_progress=lambda told: self.view.measuring(told.generation, told.share, told.pairs),
        )
        with tracks.results(self.plan.generations[len(self.sealed) :]) as results:
            for measured in results:
                self._seal(measured)
                if ended := self._ended(begin):
                    return ended
        raise MeasurementError("the tracks gave fewer generations than the plan has")

    def _lasted_s(self) -> float:
        """Return how much of the budget an earlier part of the run took."""
        return sum(line.duration_s + (line.turnover_s or 0.0) for line, _ in self.sealed) / self.plan.tracks

    def _ended(self, begin: float) -> tuple[str, bool] | None:
        """Return why measuring ends with what is sealed, and whether the data end it; None: it goes on."""
        count, planned = len(self.sealed), self.plan.max_generations
        if self._decided(count):
            return f"every gating metric that can be measured is decided after {count} generations", True
        if count == planned:
            return f"the planned {planned} generations are measured", True
        if self._spent(count, time.monotonic() - begin):
            return f"the budget is spent after {count} of {planned} generations", False
        return None

    def _spent(self, count: int, seconds: float) -> bool:
        """Tell whether another round of all tracks would not fit into the budget."""
        if count % self.plan.tracks or not self.plan.looks[0] <= count < self.plan.max_generations:
            return False  # in the middle of a round, what has been measured for long is worth its end
        return seconds * (count + self.plan.tracks) / count > OVERTIME * self.plan.budget_s

    def _cut_short(self, track: int) -> None:
        """End what runs on a track: its generator hangs up, and what is coming up is stopped."""
        self.posts[track].generator.hang_up()
        self.stage.supervisor.ask_to_end(f"track-{track}")

    def _decided(self, count: int) -> bool:
        rules = rules_at(self.plan, count, ended=False)
        if rules is None:
            return False
        observations = gather(len(self.plan.variants), self.sealed)
        contrasts = all_contrasts(observations, rules, gating_only=True)
        self.view.looked(count, contrasts)
        if any(is_open(one) for one in contrasts):
            return False
        if held := [one.metric for one in contrasts if unsettled(one, self.plan)]:
            self.view.step(f"decided; waiting until the interval of {', '.join(held)} is settled")
            return False
        if not heard(observations, rules):
            self.view.step("decided; waiting until the control that costs more is seen too")
            return False
        return True

    def _measure(self, planned: PlannedGeneration, tell: Tell) -> _Measured:
        begin = time.monotonic()
        post = self.posts[planned.track]
        variants = self.experiment.variants
        offset = planned.track * len(variants)
        cast = [(variants[one], offset + planned.slots[one]) for one in planned.start_order]
        tell(Progress(planned.index, 0.0, 0))
        with self.stage.generation(cast, refill=self.refill, extra=self._alike(planned)) as running:
            fingerprints = [self._plans(running[variant.name]) for variant in variants]
            watch = Watch(self.plan, running, planned.index, tell)
            done = self._drive(post, running, watch, planned.index)
            spent, ended_at = watch.cpu_spent(), now()
            memory = [running[variant.name].memory_bytes() for variant in variants]
        if not done.pairs:
            raise MeasurementError(
                "a generation sent no request",
                cause=done.first_error or done.stopped_early or "the scenario made none",
                remedy="check the scenario with stock Locust",
            )
        turnover_s = time.monotonic() - begin - done.duration_s
        return _Measured(planned.index, done, spent, memory, watch.steal, fingerprints, turnover_s, ended_at)

    def _alike(self, planned: PlannedGeneration) -> dict[str, str]:
        """Return what is drawn anew for each generation, and the same for all its servers."""
        if not self.plan.steady:
            return {}
        return {"PYTHONHASHSEED": str(stream_seed(self.plan.seed, "hash seed", planned.index) % 2**32)}

    def _plans(self, running: Running) -> str:
        """Return the fingerprint of the plans that the variant's database chooses now."""
        statements = self.statements.get(running.variant.name, [])
        if not statements or not running.database_url:
            return ""
        with session(running.database_url) as database:
            return plans_fingerprint(database.run, statements)

    def _drive(self, post: Post, running: Generation, watch: Watch, index: int) -> PairsDone:
        ours = [running[variant.name] for variant in self.experiment.variants]
        plan = RunPairs(
            sides=[
                Side(
                    variant=one.variant.name,
                    base_url=one.base_url,
                    roots=one.roots(),
                    restless=one.restless(),
                    spiked=one.variant.control is Control.SPEECH,
                )
                for one in ours
            ],
            users=self.plan.users,
            seed=self.plan.seed,
            generation=index,
            health_path=self.experiment.variants[0].asked_path,
            warm_s=self.plan.warm_s,
            warm_pairs=WARM_PAIRS,
            measure_s=self.plan.generation_s,
            max_pairs=MOST_PAIRS,
            gap_share=self.plan.gap_share,
            in_flight=self.plan.in_flight,
            pace_file=post.pace_file,
            spin_share=self.plan.spike_share,
        )
        try:
            done = post.generator.run_pairs(
                plan, on_ready=watch.begin, on_progress=watch.progress, on_measured=watch.end
            )
        except MeasurementError:
            running.check()  # a dead server explains more than a generator that lost it
            raise
        running.check()
        return done

    def _seal(self, measured: _Measured) -> None:
        done, rows = measured.done, rows_from_bytes(measured.done.rows)
        line = GenerationLine(
            index=measured.index,
            chunk=self.journal.seal(done.rows),
            rows=len(rows),
            spikes=self.journal.seal(done.spikes) if done.spikes else "",
            steps=done.steps,
            cpu=[
                CpuSeconds(
                    server_s=reading.server_s,
                    database_s=reading.database_s,
                    cache_s=reading.cache_s,
                    companions_s=reading.companions_s,
                    memory_bytes=used or None,  # not ours to read
                )
                for reading, used in zip(measured.spent, measured.memory, strict=True)
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
            steal=measured.steal,
            scenario_errors=done.scenario_errors,
            first_error=done.first_error,
            plan_fingerprints=measured.fingerprints,
            stopped_early=done.stopped_early,
            other_runs=len(self.stage.other_runs()),
            turnover_s=round(measured.turnover_s, 3),
            ended_at=measured.ended_at,
        )
        self.journal.append(line)
        # a rare write may come up that the probe never saw
        self.refill |= _writes(line)
        spikes = spikes_from_bytes(done.spikes, len(rows))
        self.sealed.append(charged(line, rows, spikes, self.plan.spike_share))


def _writes(line: GenerationLine) -> bool:
    return any(step.partition(" ")[0] in UNSAFE for step in line.steps)
