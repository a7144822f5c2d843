"""One request as it went: times, status, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass

from loadstone.record.observations import Outcome
from loadstone.workload.outcomes import is_timeout, of_broken
from loadstone.workload.spin import Spin

HTTP_TOO_MANY_REQUESTS = 429
HTTP_CLIENT_ERROR = 400
HTTP_SERVER_ERROR = 500


@dataclass(eq=False, slots=True)
class Observation:
    """One request as it went; `exception` may arrive later, when the scenario has checked the response."""

    start_ns: int = 0
    end_ns: int = 0
    status: int = 0
    """0 until there is an answer."""
    exception: BaseException | None = None
    reported: bool = False
    spin: Spin | None = None
    spike_ns: int = 0
    """How much of the service time was spun."""

    @property
    def service_us(self) -> int:
        """From the send to the last byte, in whole microseconds that fit into a row."""
        return min((self.end_ns - self.start_ns) // 1000, 2**31 - 1)

    def outcome(self) -> Outcome:
        """Return how the request ended, once the scenario is through with it."""
        if self.exception is None and (self.reported or 0 < self.status < HTTP_CLIENT_ERROR):
            return Outcome.OK
        if self.status == 0:
            return Outcome.TIMEOUT if is_timeout(self.exception) else Outcome.TRANSPORT_ERROR
        if self.status == HTTP_TOO_MANY_REQUESTS:
            return Outcome.TOO_MANY_REQUESTS
        if self.status >= HTTP_SERVER_ERROR:
            return Outcome.SERVER_ERROR
        if self.status >= HTTP_CLIENT_ERROR:
            return Outcome.CLIENT_ERROR
        broken = None if self.exception is None else of_broken(self.exception)
        return broken or Outcome.CHECK_FAILED

    def failed(self) -> bool:
        """Tell whether the request went wrong, as far as is known now."""
        return self.outcome() is not Outcome.OK

    def answered(self, *, well: bool) -> None:
        """Note that the answer is there, and spin if it is a good one; the first call counts."""
        if self.end_ns:
            return
        self.end_ns = time.perf_counter_ns()
        if well and self.spin is not None:
            self.spike_ns = self.spin.after(self.end_ns - self.start_ns, self.end_ns)
            self.end_ns += self.spike_ns
