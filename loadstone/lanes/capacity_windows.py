"""One window of the capacity lane: offered, watched, sealed; and the quiet behind it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from loadstone.errors import MeasurementError
from loadstone.lanes.load_compare import GUARD_BOUNDS
from loadstone.lanes.load_posts import require_everybody, spent_s
from loadstone.record.capacity_record import CapacityPlan, SearchLine, WindowLine
from loadstone.record.load_record import BlockLine, LoadJournal
from loadstone.record.machine import CpuSampler
from loadstone.record.recording import Recording
from loadstone.target.stage import Generation, Running
from loadstone.verdict.capacity_window import HOPELESS, hopeless, most_requests, parse_objective
from loadstone.workload.load_block import OnSecond
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.protocol import Side

FIRST_USERS = 4
IDLE_CORES, IDLE_POLL_S, IDLE_PATIENCE_S = 0.1, 0.2, 10.0
"""A variant that uses less than this of a core, over a poll, has put its overload behind it."""
Told = tuple[BlockDone, Recording, Recording]


@dataclass
class Windows:
    """Offers load to the variants of one generation after the other."""

    plan: CapacityPlan
    generator: LoadGenerator
    journal: LoadJournal

    def open(self, running: Sequence[Running], generation: int) -> None:
        """Make the users of a generation."""
        sides = [Side(variant=each.variant.name, base_url=each.base_url) for each in running]
        order = OpenSides(
            sides=sides,
            key=[self.plan.seed, "capacity", generation],
            users=min(FIRST_USERS, self.plan.most_users),
            most_users=self.plan.most_users,
            most_backlog=self.plan.most_backlog,
        )
        self.generator.open_sides(order)

    def close(self) -> None:
        """End the users."""
        self.generator.close_sides()

    def offer(
        self,
        variant: int,
        load: tuple[float, float],
        key: list[int | str],
        running: Generation,
        on_second: OnSecond = lambda *_: True,
    ) -> Told:
        """Offer `load` = (arrivals per second, seconds) to a variant; return how it went.

        Raises:
            TargetError: the server died.
            MeasurementError: the generator did, or one of its workers.
        """
        rps, seconds = load
        order = RunBlock(
            side=variant,
            rate=f"{'poisson:' if self.plan.poisson else ''}{rps:.9f}",
            start_s=0.0,
            stop_s=seconds,
            key=[self.plan.seed, "capacity", *key],
            drain_s=self.plan.drain_s,
            shares=[(0, 1, 0)],
        )
        # no worker may still send to one variant while another begins with the next
        time.sleep(GUARD_BOUNDS * self.generator.clock_bound_s)
        try:
            told = self.generator.run(order, on_second)
        except MeasurementError:
            running.check()  # a dead server explains more than a generator that lost it
            raise
        # what all could send together was found out at the start
        require_everybody(told[0], self.plan.workers)
        return told

    def measure(
        self,
        line: SearchLine,
        load: tuple[float, float],
        key: list[int | str],
        running: Generation,
        at_s: float,
    ) -> tuple[WindowLine, Recording, Recording]:
        """Offer one window, end it early where it is lost already, and seal what it brought."""
        rps, seconds = load
        objective, it = parse_objective(self.plan), running[f"v{line.variant}"]
        most = most_requests(self.plan, rps * seconds, line.requests_per_arrival)
        cut = False

        def on_second(_second: object, requests: Recording, _schedule: Recording) -> bool:
            nonlocal cut
            running.check()
            cut = bool(hopeless(objective, requests.cells, most))
            return not cut

        before, machine = it.cpu(), CpuSampler()
        done, requests, schedule = self.offer(line.variant, load, key, running, on_second)
        running.check()  # a server that died in the window answered fast, or nothing
        window = WindowLine(
            generation=line.generation,
            variant=line.variant,
            rate_rps=rps,
            seconds=seconds,
            at_s=at_s,
            requests_per_arrival=line.requests_per_arrival,
            block=BlockLine(
                requests=self.journal.seal(requests),
                schedule=self.journal.seal(schedule),
                due=done.due,
                begun=done.begun,
                not_sent=done.not_sent,
                unfinished=done.unfinished,
                users=done.users,
                backlog=done.backlog,
                scenario_errors=done.scenario_errors,
                first_error=done.first_error,
                duration_s=done.duration_s,
                generator_cpu_s=done.cpu_s,
                clock_drift_s=done.clock_drift_s,
                server_cpu_s=spent_s(it, before),
                steal=machine.steal(),
                sendable_rps=None,
                aborted=HOPELESS if cut else "",
                planned=done.planned,
                lost=done.lost,
                mismatch=done.mismatch,
                workers=done.workers,
            ),
        )
        return window, requests, schedule

    def await_idle(self, it: Running) -> None:
        """Return once a variant has worked off what an overload left; not later than in ten seconds."""
        by = time.monotonic() + IDLE_PATIENCE_S
        while time.monotonic() < by:
            before = it.cpu()
            time.sleep(IDLE_POLL_S)
            spent = it.cpu() - before
            parts = (spent.server_s or 0.0, spent.database_s or 0.0, spent.cache_s or 0.0, spent.companions_s)
            if sum(parts) < IDLE_CORES * IDLE_POLL_S:
                return
