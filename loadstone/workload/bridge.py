"""Messages between a conductor and its Locust master, a process that carries messages to workers elsewhere.

What a worker and the conductor say to each other goes through the master untouched, as
a custom message of Locust's own RPC (`runner.send_message`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from loadstone.workload.protocol import Failed, Hello, Message, Stop

LOCUST_MESSAGE = "loadstone"
"""Type of the custom message that carries ours."""


class OpenMaster(Message, kw_only=True, tag="open_master"):
    """Listen for workers, and show the web UI where there is a port for it."""

    host: str
    port: int
    """0: any that is free."""
    web_port: int | None = None
    title: str = ""


class MasterOpen(Message, kw_only=True, tag="master_open"):
    """Where it listens."""

    port: int
    web_url: str


class Relay(Message, kw_only=True, tag="relay"):
    """A message to a worker, or from one."""

    worker: str
    """Locust's id of it."""
    body: bytes


class Missing(Message, kw_only=True, tag="missing"):
    """Locust has not heard of a worker for a while, or it left."""

    worker: str
    reason: str


class Show(Message, kw_only=True, tag="show"):
    """What the before/after page shows from now on, as JSON."""

    page: bytes


class EndWish(Message, kw_only=True, tag="end_wish"):
    """Somebody pressed stop in the web UI."""


BRIDGE_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    Hello | OpenMaster | MasterOpen | Relay | Missing | Show | EndWish | Stop | Failed
)
