"""Messages between a conductor and a generator of offered load, beside those of `protocol`.

A generator is opened on its sides once a generation, and then runs blocks: stretches of
one plan on one side. During a block it says every second what it recorded, and the
conductor answers `go`, or `end_block` where a threshold wants the run to end.
"""

from __future__ import annotations

from typing import Any

import msgspec

from loadstone.workload.protocol import Failed, Go, Hello, Load, Loaded, Message, Side, Stop

Part = int | str


class OpenSides(Message, kw_only=True, tag="open_sides"):
    """Make a pool of users for each side, and start its first users."""

    sides: list[Side]
    key: list[Part]
    """Names the random streams of the users: seed, lane, generation."""
    users: int
    """To start with, on each side."""
    most_users: int
    most_backlog: int


class SidesOpen(Message, kw_only=True, tag="sides_open"):
    """Every first user is through `on_start`."""


class RunBlock(Message, kw_only=True, tag="run_block"):
    """Carry out a stretch of a plan on one side."""

    side: int
    rate: str
    start_s: float
    stop_s: float
    key: list[Part]
    """Names the random streams of arrivals and iterations: seed, lane, generation, block. Not the side."""
    drain_s: float
    shares: list[tuple[int, int, int | None]]
    """(first arrival, workers, this worker's place) of each epoch."""


class RunCrowd(Message, kw_only=True, tag="run_crowd"):
    """Run the closed model: users with think time, as Locust's own runner has it."""

    base_url: str
    users: int
    spawn_rate: float
    """Users started a second."""
    seconds: float
    key: list[Part]
    tags: list[str]
    exclude_tags: list[str]


class RunSelfTest(Message, kw_only=True, tag="run_self_test"):
    """Send as much as can be sent to a server that does nothing, with the scenario's own client."""

    base_url: str
    seconds: float


class SelfTested(Message, kw_only=True, tag="self_tested"):
    """What a request costs this generator."""

    requests: int
    cpu_s: float
    duration_s: float


class Second(Message, kw_only=True, tag="second"):
    """What was recorded since the last one; the conductor answers `go` or `end_block`."""

    elapsed_s: int
    requests: bytes
    """A packed `Recording`."""
    schedule: bytes
    """The same of iterations and of `(dispatch)`."""
    users: int
    backlog: int
    cpu_s: float
    """The generator's, since the block's start."""


class EndBlock(Message, kw_only=True, tag="end_block"):
    """Hand out no more work; what is going on may finish."""


class BlockDone(Message, kw_only=True, tag="block_done"):
    """A block is over; the recordings hold what no `second` told."""

    requests: bytes
    schedule: bytes
    due: int
    begun: int
    not_sent: int
    unfinished: int
    users: int
    backlog: int
    scenario_errors: int
    first_error: str
    duration_s: float
    """From the plan's zero to the end of the last work."""
    cpu_s: float
    clock_drift_s: float
    """By how much the wall clock and the monotonic one went apart."""


class CloseSides(Message, kw_only=True, tag="close_sides"):
    """End all users; their `on_stop` runs."""


class SidesClosed(Message, kw_only=True, tag="sides_closed"):
    """No user is left."""


LOAD_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    Hello
    | Load
    | Loaded
    | Go
    | Stop
    | Failed
    | OpenSides
    | SidesOpen
    | RunBlock
    | RunCrowd
    | RunSelfTest
    | SelfTested
    | Second
    | EndBlock
    | BlockDone
    | CloseSides
    | SidesClosed
)
