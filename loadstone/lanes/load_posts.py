"""What a load lane needs around it: a generator, what it can send, what a variant has used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loadstone.errors import MeasurementError
from loadstone.target.cpu import CpuReading
from loadstone.target.generation import Running
from loadstone.target.stage import Stage
from loadstone.workload.load_protocol import RunSelfTest
from loadstone.workload.load_remote import LoadGenerator, start_load_generator

GENERATOR_LOG = "generator.log"
SELF_TEST_S = 1.0


def sendable(generator: LoadGenerator, stage: Stage, folder: Path) -> float | None:
    """Return the requests per second that the generator can send; None where its client is none of HTTP.

    It is what one core's second buys of the CPU that a request to a server that does nothing costs.
    """
    argv = [sys.executable, "-m", "loadstone.workload.null_server"]
    log = folder / "null-server.log"
    child = stage.supervisor.start("null server", argv, log=log, cwd=Path.cwd(), env=dict(os.environ))
    try:
        port = _told_port(log)
        tested = generator.self_test(RunSelfTest(base_url=f"http://127.0.0.1:{port}", seconds=SELF_TEST_S))
    finally:
        stage.supervisor.stop(child, grace_s=0.5)
    return tested.requests / tested.cpu_s if tested.requests and tested.cpu_s else None


@contextmanager
def open_generator(stage: Stage, folder: Path) -> Iterator[LoadGenerator]:
    """Start a generator of offered load as a child of the run."""

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        child = stage.supervisor.start(
            "load generator", argv, log=folder / GENERATOR_LOG, cwd=Path.cwd(), env=dict(os.environ)
        )
        return child.process

    with start_load_generator(spawn, stage.token) as generator:
        yield generator


def spent_s(running: Running, before: CpuReading) -> float | None:
    """Return the CPU seconds of all the variant's processes since `before`; None: not ours to read."""
    spent = running.cpu() - before
    parts = (spent.server_s, spent.database_s, spent.cache_s)
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)


def _told_port(log: Path) -> int:
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        with suppress(OSError):
            text = log.read_text()
            if text.endswith("\n"):
                return int(text)
        time.sleep(0.01)
    raise MeasurementError("the null server did not come up", remedy="see null-server.log in the run folder")
