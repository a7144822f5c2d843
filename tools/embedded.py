"""The shop's PostgreSQL and Redis from Loadstone's own wheels, for tools that want nothing else of it."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOADSTONE = str(Path(sys.executable).parent / "loadstone")


@contextmanager
def services() -> Iterator[tuple[str, str]]:
    """Run the shop's database and Redis, migrated and seeded; yield their URLs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that it starts no Prometheus
        argv = [LOADSTONE, "up", "--prometheus-port", str(taken.getsockname()[1])]
        up = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            found = dict(line.split() for line in itertools.islice(up.stdout or (), 3))
            if {"database", "cache"} - set(found):
                sys.exit("`loadstone up` does not start: run it to see why")
            yield found["database"], found["cache"]
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
