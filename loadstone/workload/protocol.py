"""Messages between the conductor and a generator, and their framing.

A frame is a 4-byte big-endian length and one MessagePack map tagged with `type`.
The same messages serve one local generator and, later, many remote ones.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any

import msgspec

from loadstone.errors import MeasurementError

_LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 1 << 30


class Message(msgspec.Struct, tag_field="type", kw_only=True):
    """Base of every message."""


class Hello(Message, kw_only=True, tag="hello"):
    """First frame of a generator: proves that it is the one that was started."""

    token: str
    pid: int
    locust_version: str
    host: str = ""
    """Names the kernel that the process runs on: those with one name share a clock."""
    cores: int = 1
    """That the process may run on."""
    version: str = ""


class Load(Message, kw_only=True, tag="load"):
    """Import a scenario file."""

    scenario: str
    text: str = ""
    """The file itself, for a worker of another host."""
    share: str = ""
    """Of rows of data, as `k/W`; empty: the process knows."""
    locust_stats: bool = False
    """Whether Locust counts too, for its web UI."""


class Loaded(Message, kw_only=True, tag="loaded"):
    """The scenario's user classes, in the order in which users are handed out."""

    user_classes: list[str]


class Side(msgspec.Struct, kw_only=True):
    """Where one variant listens during a generation."""

    variant: str
    base_url: str
    roots: list[int] = []
    """Processes that, with their descendants, do the variant's work; empty where they are not ours."""
    restless: list[int] = []
    """Processes that must come to rest before the next request, because they may work on after an answer."""
    spiked: bool = False
    """Whether the spin after each answer counts as part of the request."""


class Walk(Message, kw_only=True, tag="walk"):
    """Fields shared by everything that walks journeys on all variants in lockstep."""

    sides: list[Side]
    users: int
    seed: int
    generation: int
    health_path: str


class RunPairs(Walk, kw_only=True, tag="run_pairs"):
    """Walk journeys in paired requests: warm up, say `ready`, wait for `go`, measure, say `measured`."""

    warm_s: float
    warm_pairs: int
    measure_s: float
    max_pairs: int
    gap_share: float
    in_flight: int = 1
    """Pairs on the wire at once; above 1 a pair with gaps is alone on the wire."""
    pace_file: str = ""
    """Memory shared with the sampler of this core's pace; empty: none."""
    spin_share: float = 0.0
    """How long to spin after each good answer, of whatever side, as a share of its service time."""


class RunProbe(Walk, kw_only=True, tag="run_probe"):
    """Walk journeys one request at a time, an `exchange` after each."""

    max_requests: int
    per_endpoint: int


class Ready(Message, kw_only=True, tag="ready"):
    """Warm-up is over; `go` starts the timed part."""

    warm_pairs: int


class Go(Message, kw_only=True, tag="go"):
    """Start measuring, end the users, or send the next probe request."""


class Measured(Message, kw_only=True, tag="measured"):
    """The last timed request is answered; `go` lets the users stop, which may send more."""


class Stop(Message, kw_only=True, tag="stop"):
    """End what is running, then the process."""


class Progress(Message, kw_only=True, tag="progress"):
    """Pairs measured so far; before `ready` it only says that the generator is alive."""

    pairs: int


class Exchange(Message, kw_only=True, tag="exchange"):
    """One probe request and its response; the conductor answers `go`.

    Unrecorded exchanges (an untimed `on_start`) are sent too, so that what they
    did at the services is not charged to the next one.
    """

    variant: int
    step: str
    method: str
    target: str
    status: int
    content_type: str
    body: bytes
    wire_bytes: int
    repeat: bool
    recorded: bool
    number: int
    """Counts recorded requests; equal on all variants for one step of a journey."""
    service_us: int = 0
    """Through the taps, so longer than a measured one."""
    exchanges: int | None = None
    """Of a step that is several requests, as its answer counts them; None where it is one."""
    traceparent: str = ""
    """The trace context that it carried, equal on all variants."""
    server_timing: str = ""
    """What the app says of it itself, in the header of that name."""
    broken: str = ""
    """How the answer broke off, as outcomes are called; empty where it came to its end."""


class UserSteps(msgspec.Struct, kw_only=True):
    """What one user sent while measuring: hashes of its request sequence at powers of two."""

    user: int
    steps: int
    checkpoints: dict[int, str]


class PairsDone(Message, kw_only=True, tag="pairs_done"):
    """The chunk of a generation: a structured array as bytes, and what went with it."""

    rows: bytes
    spikes: bytes = b""
    """Nanoseconds that were spun inside each row's service time, as uint32; empty without a spiked side."""
    steps: list[str]
    """Step names by the number used in `rows`."""
    users: list[UserSteps]
    pairs: int
    diverged: int
    """Journeys that parted although every request of the iteration so far was answered well."""
    iterations: int
    duration_s: float
    generator_cpu_s: float
    scenario_errors: int
    """What the scenario raised of itself, not after a failed request; warm-up does not count."""
    first_error: str
    stopped_early: str


class ProbeDone(Message, kw_only=True, tag="probe_done"):
    """All probe requests were sent."""

    recorded: int
    diverged: int
    scenario_errors: int
    first_error: str


class Failed(Message, kw_only=True, tag="failed"):
    """The generator could not do what it was asked."""

    problem: str
    cause: str
    remedy: str


AnyMessage = (
    Hello
    | Load
    | Loaded
    | RunPairs
    | RunProbe
    | Ready
    | Go
    | Measured
    | Stop
    | Progress
    | Exchange
    | PairsDone
    | ProbeDone
    | Failed
)

_encoder = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(AnyMessage)
"""Of what a generator of pairs and its conductor say to each other."""


class Channel:
    """A connected socket that carries messages both ways; `decoder` knows those that come in."""

    def __init__(self, connection: socket.socket, decoder: msgspec.msgpack.Decoder[Any] = DECODER) -> None:
        self._socket = connection
        self._decoder = decoder

    def send(self, message: Message) -> None:
        """Send one message; raises `OSError` when the peer is gone."""
        payload = _encoder.encode(message)
        self._socket.sendall(_LENGTH.pack(len(payload)) + payload)

    def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            MeasurementError: the peer hung up or sent something that is no message.
            TimeoutError: nothing came within the socket's timeout.
        """
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise MeasurementError("a generator sent a frame that is too long", cause=f"{length} bytes")
        try:
            message: Message = self._decoder.decode(self._read(length))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MeasurementError(
                "a generator sent something that is no message", cause=str(error)
            ) from error
        return message

    def settimeout(self, seconds: float | None) -> None:
        """Set how long `receive` waits for a byte."""
        self._socket.settimeout(seconds)

    def shut_down(self) -> None:
        """Wake up whoever waits in `receive`, with an error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self, count: int) -> bytes:
        buffer = bytearray()
        while len(buffer) < count:
            data = self._socket.recv(min(1 << 20, count - len(buffer)))
            if not data:
                raise MeasurementError(
                    "the load generator hung up",
                    cause="its process ended or was killed; see generator.log in the run folder",
                )
            buffer += data
        return bytes(buffer)
