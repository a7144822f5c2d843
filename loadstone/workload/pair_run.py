"""The timed requests of one generation: pair by pair, a row a request."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import gevent
import numpy as np

from loadstone.errors import MeasurementError
from loadstone.record.observations import SPIKE, rows_from_list
from loadstone.stats.streams import stream_seed
from loadstone.target.rest import PATIENCE_S, await_rest
from loadstone.workload.exchange import send_timed
from loadstone.workload.host_pace import HostPace
from loadstone.workload.lockstep import Meeting
from loadstone.workload.observation import Observation
from loadstone.workload.protocol import RunPairs
from loadstone.workload.sequences import SequenceHash
from loadstone.workload.solitude import Solitude
from loadstone.workload.spent import ProcessCpu
from loadstone.workload.spin import Spin
from loadstone.workload.twins import Request, Twin

MOST_STEPS = 300
"""Distinct names of requests; more of them say nothing about any."""


@dataclass(slots=True)
class _Pair:
    number: int
    meeting: Meeting
    order: list[int]
    gap: bool


@dataclass(slots=True)
class _Sent:
    """A request that was sent: its row, as far as it is known."""

    observation: Observation
    fixed: tuple[int, ...]
    cpu_us: int = 0


@dataclass
class PairRun:
    """Walks journeys pair by pair and keeps one row per request."""

    plan: RunPairs
    gap_s: float
    rows: list[_Sent] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    service_s: list[float] = field(default_factory=list)
    hashes: dict[int, SequenceHash] = field(default_factory=dict)
    solitude: Solitude = field(default_factory=Solitude)
    spins: list[Spin | None] = field(init=False)
    """By side."""
    _cpu: dict[int, ProcessCpu] = field(default_factory=dict)
    _read_us: dict[int, int] = field(default_factory=dict)
    _last: dict[int, _Sent] = field(default_factory=dict)
    _unrested: set[int] = field(init=False)
    """Sides whose companions may be at work, by what was sent since they were last at rest."""

    def __post_init__(self) -> None:
        share = self.plan.spin_share
        self._unrested = set(range(len(self.plan.sides)))
        self.spins = [Spin(share, side.spiked) if share else None for side in self.plan.sides]

    def watch_cpu(self) -> None:
        """Charge CPU to single requests from now on, where only one is on the wire at a time."""
        sides = self.plan.sides if self.plan.in_flight == 1 else []
        self._cpu = {index: ProcessCpu(side.roots) for index, side in enumerate(sides) if side.roots}
        self._read_us = {index: cpu.read_us() for index, cpu in self._cpu.items()}

    def settle_cpu(self) -> None:
        """Charge what was used since each variant's last request to that request."""
        for index in self._cpu:
            self._charge(index)

    def serve(self, meeting: Meeting) -> None:
        """Send the requests of one meeting back to back and let the twins go on."""
        if not meeting.timed:
            for index, twin, request in meeting.requests:
                self._unrested.add(index)
                twin.resume(send_timed(request, Observation()))
            return
        pair = self._plan_pair(meeting)
        with self.solitude.alone() if pair.gap else self.solitude.among_others():
            self._send_pair(pair)

    def _plan_pair(self, meeting: Meeting) -> _Pair:
        """Order and gap are functions of (seed, lane, generation, user, ordinal)."""
        journey = meeting.journey
        plan, ordinal = self.plan, journey.ordinal
        journey.ordinal += 1
        where = (plan.seed, "pair", plan.generation, journey.user)
        order = list(range(len(meeting.requests)))
        if len(order) > 1:
            random.Random(stream_seed(*where, "order", ordinal)).shuffle(order)  # noqa: S311 - not secret
        gap = stream_seed(*where, "gap", ordinal) / 2**64 < plan.gap_share
        self.pairs += 1
        return _Pair(self.pairs - 1, meeting, order, gap)

    def _send_pair(self, pair: _Pair) -> None:
        meeting = pair.meeting
        replies = {}
        for position, place in enumerate(pair.order):
            index, twin, request = meeting.requests[place]
            self._rest()
            if pair.gap:
                gevent.sleep(self.gap_s)
            observation = Observation(spin=self.spins[index])
            self._charge(index)
            self._unrested.add(index)
            replies[index] = (twin, send_timed(request, observation))
            self._note(pair, position, index, twin, request, observation)
        for index, twin, request in meeting.requests:
            if index == 0:
                chain = self.hashes.setdefault(meeting.journey.user, SequenceHash())
                chain.add(request, twin.base_url)
        for twin, reply in replies.values():
            twin.resume(reply)

    def _rest(self) -> None:
        """Wait until nobody works on what an earlier request put off, where only one is on the wire.

        Raises:
            MeasurementError: they work on and on.
        """
        for index in self._unrested if self.plan.in_flight == 1 else ():
            side = self.plan.sides[index]
            if not await_rest(side.restless, sleep=gevent.sleep):
                raise MeasurementError(
                    f"the companions of {side.variant} do not come to rest",
                    cause=f"{PATIENCE_S:g} s after a request they still work",
                    remedy="look at what they do without being asked to; else let the load lane decide",
                )
        self._unrested.clear()

    def _charge(self, index: int) -> None:
        """Charge the CPU that a variant used since its last request to that request."""
        cpu = self._cpu.get(index)
        if cpu is None:
            return
        now_us = cpu.read_us()
        if index in self._last:
            self._last[index].cpu_us = max(1, now_us - self._read_us[index])
        self._read_us[index] = now_us

    def _note(
        self, pair: _Pair, position: int, index: int, twin: Twin, request: Request, observation: Observation
    ) -> None:
        step = self.steps.setdefault(request.step, len(self.steps))
        if len(self.steps) > MOST_STEPS:
            raise MeasurementError(
                f"the scenario sends more than {MOST_STEPS} requests of different names",
                cause=f"the last one is {request.step!r}",
                remedy='give requests whose paths differ one name: self.client.get(path, name="/item")',
            )
        user = pair.meeting.journey.user
        fixed = (pair.number, step, user, twin.iteration, index, position, pair.gap, pair.meeting.paired)
        self._last[index] = _Sent(observation, fixed)
        self.rows.append(self._last[index])
        self.service_s.append((observation.end_ns - observation.start_ns) / 1e9)

    def packed(self, zero_ns: int, host: HostPace) -> bytes:
        """Return the rows as bytes of `observations.ROW`, times relative to `zero_ns`."""
        seen = [sent.observation for sent in self.rows]
        start_ns = np.array([one.start_ns for one in seen], dtype=np.int64)
        answered_ns = np.array([one.end_ns - one.spike_ns for one in seen], dtype=np.int64)
        pace = host.over(start_ns, answered_ns)
        table = [
            (
                *sent.fixed,
                int(sent.observation.outcome()),
                sent.observation.status,
                sent.observation.service_us,
                (sent.observation.start_ns - zero_ns) // 1000,
                min(sent.cpu_us, 2**32 - 1),
                mean,
            )
            for sent, mean in zip(self.rows, pace, strict=True)
        ]
        return rows_from_list(table).tobytes()

    def spikes(self) -> bytes:
        """Return the nanoseconds spun inside each row's service time, as bytes of `observations.SPIKE`."""
        if not any(spin is not None and spin.counts for spin in self.spins):
            return b""
        return np.array([sent.observation.spike_ns for sent in self.rows], dtype=SPIKE).tobytes()
