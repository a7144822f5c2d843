"""Readings at both ends of the timed part of a generation."""

from __future__ import annotations

import time

from loadstone.lanes.tracks import Progress, Tell
from loadstone.record.machine import CpuSampler
from loadstone.record.plan import Plan
from loadstone.target.cpu import CpuReading
from loadstone.target.stage import Generation


class Watch:
    """Reads what each variant has used, and notices when one of its processes has gone."""

    def __init__(self, plan: Plan, running: Generation, index: int, tell: Tell) -> None:
        self._plan = plan
        self._running = running
        self._index = index
        self._tell = tell
        self._before: list[CpuReading] = []
        self._after: list[CpuReading] = []
        self._begin = 0.0
        self._machine = CpuSampler()
        self.steal: float | None = None

    def begin(self) -> None:
        """Read everything, right before the first timed request."""
        self._running.settle()
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
        share = (time.monotonic() - self._begin) / self._plan.generation_s
        self._tell(Progress(self._index, min(1.0, share), pairs))

    def cpu_spent(self) -> list[CpuReading]:
        """Return each variant's CPU seconds between the readings, by variant index."""
        return [after - before for before, after in zip(self._before, self._after, strict=True)]

    def _read(self) -> list[CpuReading]:
        return [self._running[variant.name].cpu() for variant in self._plan.variants]
