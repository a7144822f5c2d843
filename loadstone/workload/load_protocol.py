"""Messages between a conductor and a generator of offered load, beside those of `protocol`.

A generator is opened on its sides once a generation, and then runs blocks: stretches of
one plan on one side. During a block it reports every second what it recorded, and the
conductor acknowledges, with the wish to end where a threshold broke. What one
generator does alone, several workers do together, each with its share of the arrivals.
"""

from __future__ import annotations

from typing import Any

import msgspec

from loadstone.record.load_record import WorkerLine
from loadstone.workload.protocol import Failed, Hello, Load, Loaded, Message, Side, Stop

Part = int | str
PackedShare = tuple[int, int, int | None]
"""(first arrival, workers, this worker's place) of an epoch."""


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
    shares: list[PackedShare]
    zero_ns: int = 0
    """The plan's second 0 on the worker's `time.perf_counter_ns`; 0: as soon as it is ready."""
    number: int = 0
    """Of the block, which its reports bear."""


class Reshare(Message, kw_only=True, tag="reshare"):
    """Workers came or went: from the last share's first arrival on, others are yours."""

    shares: list[PackedShare]


class Reshared(Message, kw_only=True, tag="reshared"):
    """Whether that came in time; the first arrival must not have been handed out."""

    first: int
    accepted: bool


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
    place: int = 0
    """Of `workers`; users and their rate are this worker's part already, a shape's are not."""
    workers: int = 1
    number: int = 0
    """As that of a block."""


class RunSelfTest(Message, kw_only=True, tag="run_self_test"):
    """Send as much as can be sent to a server that does nothing, with the scenario's own client."""

    base_url: str
    seconds: float


class SelfTested(Message, kw_only=True, tag="self_tested"):
    """What a request costs this generator."""

    requests: int
    cpu_s: float
    duration_s: float


class Numbered(Message, kw_only=True):
    """What a worker sends again until it is acknowledged."""

    seq: int
    """Counts a block's reports, from 1."""
    requests: bytes
    """A packed `Recording` of what was recorded since the last report."""
    schedule: bytes
    """The same of iterations and of `(dispatch)`."""
    recorded: int
    """Requests since the block's start, those of earlier reports included."""
    scheduled: int
    """The same of iterations and of `(dispatch)`."""
    cpu_s: float
    """The worker's, since the block's start."""
    block: int = 0
    """To which it belongs: one that is sent again may come when the next block has begun."""


class Report(Numbered, kw_only=True, tag="report"):
    """A second is over."""

    elapsed_s: int
    users: int
    backlog: int


class WorkerDone(Numbered, kw_only=True, tag="worker_done"):
    """A worker's part of a block is over."""

    due: int
    last: int
    """The highest arrival that fell due here; -1: none did."""
    begun: int
    not_sent: int
    unfinished: int
    users: int
    backlog: int
    scenario_errors: int
    first_error: str
    duration_s: float
    """From the plan's zero to the end of the last work."""
    clock_drift_s: float
    """By how much the wall clock and the monotonic one went apart."""


class Ack(Message, kw_only=True, tag="ack"):
    """A report is counted."""

    seq: int
    go_on: bool
    """False: hand out no more work; what is going on may finish."""


class Ping(Message, kw_only=True, tag="ping"):
    """What does your clock say?"""

    number: int


class Pong(Message, kw_only=True, tag="pong"):
    """What it says."""

    number: int
    clock_ns: int


class Second(msgspec.Struct, kw_only=True):
    """What all workers together have reached."""

    elapsed_s: int
    users: int
    backlog: int
    cpu_s: float
    """Of the busiest worker, since the block's start."""


class BlockDone(msgspec.Struct, kw_only=True):
    """A block is over, on all workers together."""

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
    """Of the busiest worker."""
    clock_drift_s: float
    """The largest of any worker."""
    planned: int | None = None
    """Arrivals that the plan has until the end of the block; None in the closed model."""
    lost: int = 0
    """Arrivals of workers that died, of which nothing was told."""
    mismatch: str = ""
    """Why the workers' counts are not the master's; empty where they are."""
    workers: list[WorkerLine] = []


class CloseSides(Message, kw_only=True, tag="close_sides"):
    """End all users; their `on_stop` runs."""


class SidesClosed(Message, kw_only=True, tag="sides_closed"):
    """No user is left."""


LOAD_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    Hello
    | Load
    | Loaded
    | Stop
    | Failed
    | OpenSides
    | SidesOpen
    | RunBlock
    | RunCrowd
    | RunSelfTest
    | SelfTested
    | Report
    | WorkerDone
    | Ack
    | Reshare
    | Reshared
    | Ping
    | Pong
    | CloseSides
    | SidesClosed
)
