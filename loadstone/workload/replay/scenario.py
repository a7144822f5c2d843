"""Writing recorded requests as a plain Locust file with its data beside it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.folder import write_atomically
from loadstone.workload.replay.entries import Entry

DATA_SUFFIX = ".requests.jsonl"
_SCENARIO = '''"""Recorded traffic, each request at its time: made by `loadstone scenario`.

`loadstone load --scenario THIS --rate replay:{data}` keeps the recorded times whatever
the server does. Under `locust -f`, start as many users as may be busy at once: each
takes the next request and waits for its time. After the last request it starts again.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from locust import FastHttpUser, task

REQUESTS = [json.loads(line) for line in Path(__file__).with_name({data!r}).read_text().splitlines()]
PAUSE_S = 1.0
"""Between the last request and the first of the next round."""
_ROUND_S = REQUESTS[-1]["at"] + PAUSE_S


class Recorded:
    """Hands the requests out in order, to all users together."""

    taken = 0
    zero = 0.0

    @classmethod
    def next_one(cls) -> tuple[dict, float]:
        """Return the next request, and how many seconds are left until its time."""
        turn, place = divmod(cls.taken, len(REQUESTS))
        cls.taken += 1
        now = time.monotonic()
        if not turn and not place:
            cls.zero = now
        request = REQUESTS[place]
        return request, cls.zero + turn * _ROUND_S + request["at"] - now


class Replay(FastHttpUser):
    """Sends recorded requests."""

    @task
    def replay(self) -> None:
        """Send the next request at its time, or at once if that is over."""
        request, left = Recorded.next_one()
        if left > 0:
            time.sleep(left)
        self.client.request(
            request["method"],
            request["path"],
            name=request["name"],
            headers=request.get("headers") or {{}},
            data=request.get("body") or None,
        )
'''


def write_scenario(entries: list[Entry], target: Path, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write the Locust file `target` and its data file; return both paths.

    Raises:
        ConfigurationError: they exist already, or cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]+\.py", target.name):
        raise ConfigurationError(
            f"{target.name!r} is no name of a Locust file", remedy="use letters, digits and .py at the end"
        )
    data = target.with_name(target.stem + DATA_SUFFIX)
    for path in (target, data):
        if path.exists() and not overwrite:
            raise ConfigurationError(
                f"{path} exists already", remedy="name another with --out, or add --force"
            )
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(data, lines)
        write_atomically(target, _SCENARIO.format(data=data.name).encode())
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written", cause=str(error)) from error
    return target, data
