"""The capacity lane: on each fresh start, one search a variant, whose windows take turns.

In a generation every variant is up. In each round the searches that go on get one
window each, in random order: never one variant and then the other. A window is led
in by load at its own rate that is not measured, ends early once the objective cannot
be kept any more, and is followed by quiet until an overloaded server is idle again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loadstone.config.capacity import CapacityExperiment, with_processes
from loadstone.errors import MeasurementError
from loadstone.lanes.capacity_design import CapacityView
from loadstone.lanes.capacity_windows import Windows
from loadstone.record.capacity_record import CapacityPlan, SearchLine
from loadstone.record.load_record import LoadJournal
from loadstone.stats.capacity import GROWTH, Limit, Trial, start_rate
from loadstone.stats.streams import stream
from loadstone.target.stage import Generation, Stage
from loadstone.verdict.capacity_searches import (
    WalkedSearch,
    WalkedWindow,
    begin_search,
    search_result,
    take_window,
)
from loadstone.verdict.capacity_window import least_rate, window_seconds
from loadstone.verdict.capacity_words import rate
from loadstone.verdict.capacity_words import with_processes as with_told
from loadstone.verdict.worker_checks import SENDABLE_SHARE

WARM_RPS = 10.0
NEAR_GROWTH = 1.25
"""First step of a search that begins near what an earlier one found."""
NEAR_SHARE = 0.6
"""Time of such a search, of one that begins far away."""
LIGHT_LOAD = 0.5
"""Of one worker's time: where the first search begins."""


class BudgetSpentError(Exception):
    """There is no time for another window."""


@dataclass
class CapacityLane:
    """Searches one experiment's capacities, generation by generation."""

    experiment: CapacityExperiment
    plan: CapacityPlan
    stage: Stage
    windows: Windows
    journal: LoadJournal
    view: CapacityView
    sendable_rps: float | None
    begun: float = field(default_factory=time.monotonic)
    searches: list[WalkedSearch] = field(default_factory=list)
    _round_s: float = 0.0

    def run(self) -> str:
        """Search until the repeats are done or the budget is spent; return why it ended.

        Raises:
            TargetError: something of the target died.
            MeasurementError: the generator died, or the objective cannot be told.
        """
        generation = 0
        for repeat in range(self.plan.repeats):
            if self._elapsed() + self._expected_s(repeat) > self.plan.budget_s:
                return self._spent(repeat)
            begun = time.monotonic()
            sizes = list(self.plan.sizes)
            stream(self.plan.seed, "capacity", repeat, "sizes").shuffle(sizes)
            for size in sizes:
                try:
                    self._generation(generation, size)
                except BudgetSpentError:
                    return self._spent(repeat)
                generation += 1
            self._round_s = time.monotonic() - begun
        return f"the planned {self.plan.repeats} searches of each are done"

    def _expected_s(self, repeat: int) -> float:
        """Return how long the next searches may take: the second ones begin near the end of the first."""
        return self._round_s * (NEAR_SHARE if repeat == 1 else 1.0)

    def _spent(self, repeats: int) -> str:
        return f"the budget is spent after {repeats} of {self.plan.repeats} searches of each"

    def _elapsed(self) -> float:
        return time.monotonic() - self.begun

    def _generation(self, generation: int, size: int) -> None:
        variants = [
            with_processes(each, self.experiment.processes_env, size) if size else each
            for each in self.experiment.variants
        ]
        order = list(range(len(variants)))
        stream(self.plan.seed, "capacity", generation, "start").shuffle(order)
        told = f" with {with_told(size)}" if size else ""
        self.view.step(f"starting {self.plan.title}{told}")
        cast = [(variants[one], (one + generation) % len(variants)) for one in order]
        with self.stage.generation(cast, refill=True) as running:
            self.windows.open([running[each.name] for each in variants], generation)
            own = [self._begin(generation, index, size, running) for index in range(len(variants))]
            running.settle()
            for turn, walked in self._turns(generation, own):
                self._window(walked, running, turn)
            self.windows.close()
            running.check()

    def _turns(self, generation: int, own: Sequence[WalkedSearch]) -> Iterator[tuple[int, WalkedSearch]]:
        """Yield the searches that go on, once in each round and in random order."""
        turn = 0
        while going := [one for one in own if not one.whole]:
            stream(self.plan.seed, "capacity", generation, "turn", turn).shuffle(going)
            for walked in going:
                yield turn, walked
            turn += 1

    def _begin(self, generation: int, variant: int, size: int, running: Generation) -> WalkedSearch:
        """Warm a variant up, and open its search where earlier ones or its service time point to."""
        plan = self.plan
        label = plan.variants[variant].label
        self.view.step(f"warming up {label}")
        warm_rps = min(WARM_RPS, plan.max_rps or WARM_RPS)
        key: list[int | str] = [generation, "warm"]
        done, requests, _ = self.windows.offer(variant, (warm_rps, plan.warm_s), key, running)
        if not requests.total:
            raise MeasurementError(
                "the scenario sends no requests", remedy="see generator.log in the run folder"
            )
        per_arrival = requests.total / max(done.begun, 1)
        service_us = requests.histogram("service").mean_us
        least = least_rate(plan, per_arrival)
        most, bound = self._most(per_arrival, least)
        guess, growth = self._guess(variant, size, service_us)
        start = start_rate(guess, plan.seed, "capacity", generation, variant)
        line = SearchLine(
            generation=generation,
            variant=variant,
            processes=size,
            server_processes=len(running[f"v{variant}"].pids()),
            start_rps=min(max(start, least), most),
            least_rps=least,
            most_rps=most,
            bound_by_generator=bound,
            growth=growth,
            requests_per_arrival=per_arrival,
            service_us=service_us,
        )
        self.journal.append(line)
        walked = WalkedSearch(line, begin_search(line, plan))
        self.searches.append(walked)
        return walked

    def _most(self, per_arrival: float, least: float) -> tuple[float, bool]:
        """Return the highest rate to try, and whether the generator is what bounds it."""
        allowed = self.plan.max_rps or math.inf
        sendable = SENDABLE_SHARE * self.sendable_rps / per_arrival if self.sendable_rps else 1e6
        most = min(allowed, sendable)
        if most < least:
            raise MeasurementError(
                f"windows at {rate(most)}/s are too short to tell the objective",
                cause=f"the longest ones need {rate(least)}/s or more",
                remedy="use longer windows (--window), a higher --max-rate, or a laxer quantile",
            )
        return most, sendable < allowed

    def _guess(self, variant: int, size: int, service_us: float) -> tuple[float, float]:
        """Return where to begin, and by which first step to grow."""
        found = [
            one.search.capacity_rps
            for one in self.searches
            if one.search.limit is Limit.OBJECTIVE
            and (one.line.variant, one.line.processes) == (variant, size)
        ]
        if found:
            return math.exp(sum(map(math.log, found)) / len(found)), NEAR_GROWTH
        return LIGHT_LOAD * max(size, 1) / max(service_us / 1e6, 1e-6), GROWTH

    def _window(self, walked: WalkedSearch, running: Generation, turn: int) -> None:
        """Measure one window and let its search go on."""
        line, rps = walked.line, walked.search.next_rps
        if rps is None:
            raise AssertionError("the search goes on")
        seconds = window_seconds(self.plan, rps, line.requests_per_arrival)
        if self._elapsed() + self.plan.lead_s + seconds > self.plan.budget_s:
            raise BudgetSpentError
        label = self.plan.variants[line.variant].label
        self.view.offering(label, rps, self._elapsed() / self.plan.budget_s)
        key: list[int | str] = [line.generation, "window", turn]
        self.windows.offer(line.variant, (rps, self.plan.lead_s), [*key, "lead"], running)
        at_s = self._elapsed()
        window, requests, schedule = self.windows.measure(line, (rps, seconds), key, running, at_s)
        judged = take_window(walked, self.plan, window, requests, schedule)
        self.journal.append(window)
        note = "; ".join(judged.problems) or "; ".join(walked.windows[-1].result.broke)
        self.view.judged(label, rps, str(judged.trial), note)
        if judged.unknown:
            self._refuse_untellable(walked.windows[-1])
        if walked.whole:
            told = search_result(walked)
            self.view.found(
                label, f"{rate(told.capacity_rps or 0.0)}/s" + (told.reason and f": {told.reason}")
            )
        if judged.trial is not Trial.KEPT:
            self.windows.await_idle(running[f"v{line.variant}"])

    def _refuse_untellable(self, window: WalkedWindow) -> None:
        """A longer search would tell no more of it than this window did."""
        raise MeasurementError(
            f"the objective cannot be told: {', '.join(window.judged.unknown)}",
            cause=f"a window at {rate(window.line.rate_rps)}/s had {window.result.requests} requests, "
            f"of which {window.result.errors} failed",
            remedy="check the endpoint's name, or use longer windows (--window)",
        )
