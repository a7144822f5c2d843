"""Two deployments of the app in `target/`, started afresh for one run; to it, servers as they stand."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from comparing import BENCH, ROOT

from loadstone.errors import MeasurementError
from loadstone.target.ports import Ports

STOPPING_S = 60.0
CHOICE = "size=0"


@contextmanager
def two_deployments() -> Iterator[tuple[str, str]]:
    """Start the same app twice, each with a database of its own, and return their URLs.

    Raises:
        MeasurementError: one does not come up.
    """
    started: list[subprocess.Popen[str]] = []
    ports = Ports()
    try:
        started.extend(_start(ports.take()) for _ in range(2))
        first, second = (_url(process) for process in started)
        yield first, second
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=STOPPING_S)
        ports.close()


def _start(prometheus_port: int) -> subprocess.Popen[str]:
    words = ["up", CHOICE, "--config", str(BENCH), "--prometheus-port", str(prometheus_port)]
    return subprocess.Popen(
        [sys.executable, "-m", "loadstone", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C ends the run first
    )


def _url(process: subprocess.Popen[str]) -> str:
    """Return where the app is, once it is there."""
    line = process.stdout.readline() if process.stdout else ""
    name, _, url = line.strip().partition("  ")
    if name != CHOICE or not url.startswith("http://127.0.0.1:"):
        raise MeasurementError(f"a deployment did not come up: {line.strip() or 'it said nothing'}")
    return url
