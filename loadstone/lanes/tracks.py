"""Generations measured on several tracks at once, and handed over in the order of the plan."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from loadstone.record.plan import PlannedGeneration
from loadstone.target.processes import outliving_children

T = TypeVar("T")
PATIENCE_S = 30.0
"""How long the tracks may take to put away what they started."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation has got."""

    generation: int
    share: float
    pairs: int


Tell = Callable[[Progress], None]
Measure = Callable[[PlannedGeneration, Tell], T]
"""Measures one generation on its track; must end soon, by an exception, once the track is cut short."""


@dataclass(frozen=True)
class _Told(Generic[T]):
    """What a track has to say: a result, an exception, or progress."""

    generation: int
    result: T | None = None
    error: BaseException | None = None
    progress: Progress | None = None


@dataclass
class Tracks(Generic[T]):
    """Runs each track's generations in a thread of its own.

    Args:
        cores: of each track, where what is started in it runs by default.
        measure: called in a track's thread.
        cut_short: makes a running `measure` of a track end soon.
        on_progress: called in the caller's thread.
    """

    cores: Sequence[Sequence[int]]
    measure: Measure[T]
    cut_short: Callable[[int], None]
    on_progress: Tell

    @contextmanager
    def results(self, generations: Sequence[PlannedGeneration]) -> Iterator[Iterator[T]]:
        """Give the results in the order of the plan; what still runs at the end is cut short.

        What `measure` raises is raised where its result would have come.
        """
        told: queue.SimpleQueue[_Told[T]] = queue.SimpleQueue()
        over = threading.Event()
        threads = [
            threading.Thread(
                target=self._work,
                args=(number, [one for one in generations if one.track == number], told, over),
                name=f"track-{number}",
            )
            for number in range(len(self.cores))
        ]
        try:
            for thread in threads:
                thread.start()
            yield self._in_order(generations, told)
        finally:
            over.set()
            for number, thread in enumerate(threads):
                if thread.is_alive():
                    self.cut_short(number)
            for thread in threads:
                if thread.ident is not None:
                    thread.join(PATIENCE_S)

    def _work(
        self,
        number: int,
        own: Sequence[PlannedGeneration],
        told: queue.SimpleQueue[_Told[T]],
        over: threading.Event,
    ) -> None:
        with outliving_children(self.cores[number]):
            for planned in own:
                if over.is_set():
                    return
                try:
                    result = self.measure(
                        planned, lambda progress: told.put(_Told(progress.generation, progress=progress))
                    )
                except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                    told.put(_Told(planned.index, error=error))
                    return
                told.put(_Told(planned.index, result=result))

    def _in_order(
        self, generations: Sequence[PlannedGeneration], told: queue.SimpleQueue[_Told[T]]
    ) -> Iterator[T]:
        waiting: dict[int, T] = {}
        for planned in generations:
            while planned.index not in waiting:
                message = told.get()
                if message.error is not None:
                    raise message.error
                if message.progress is not None:
                    self.on_progress(message.progress)
                elif message.result is not None:
                    waiting[message.generation] = message.result
            yield waiting.pop(planned.index)
