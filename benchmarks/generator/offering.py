"""A generator of offered load without the rest of a run: for benchmarks that bring their own server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loadstone.config.rates import parse_rate
from loadstone.record.recording import Recording
from loadstone.workload.crew_start import start_load_generator
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.protocol import Side

TOKEN = "benchmark"  # noqa: S105 - proves who connects, on this machine


@contextmanager
def offering(
    scenario: Path, base_url: str, *, users: int, core: int | None = None
) -> Iterator[LoadGenerator]:
    """Start a generator that has `users` users of `scenario` ready."""
    environment = {**os.environ, "LOADSTONE_RUN": TOKEN}

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(argv, env=environment)
        keep_on(process.pid, core)
        return process

    with start_load_generator(spawn, TOKEN, sys.executable) as generator:
        generator.load(scenario)
        side = Side(variant="it", base_url=base_url)
        order = OpenSides(
            sides=[side], key=[1, "benchmark"], users=users, most_users=5000, most_backlog=50_000
        )
        generator.open_sides(order)
        yield generator
        generator.close_sides()


def offer(generator: LoadGenerator, rate: str, purpose: str) -> tuple[BlockDone, Recording, Recording]:
    """Carry out a whole plan."""
    order = RunBlock(
        side=0,
        rate=rate,
        start_s=0.0,
        stop_s=parse_rate(rate).duration_s,
        key=[1, "benchmark", purpose],
        drain_s=10.0,
        shares=[(0, 1, 0)],
    )
    return generator.run(order, lambda *_: True)


def keep_on(pid: int, core: int | None) -> None:
    """Bind a process to a core, where there is one and it may be used."""
    if core is not None:
        with suppress(OSError):
            os.sched_setaffinity(pid, {core})


@contextmanager
def child(argv: list[str], core: int | None = None) -> Iterator[str]:
    """Start a Python program that prints one line, yield the line, and end the program."""
    process = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE, text=True)
    keep_on(process.pid, core)
    try:
        if process.stdout is None:
            raise AssertionError("it has a pipe")
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
