"""What a load lane needs around it: a generator, what it can send, what a variant has used."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import fmean

from loadstone.config.crew import TOKEN_VARIABLE, Crew
from loadstone.errors import MeasurementError
from loadstone.secrecy import scrub, telling_values
from loadstone.target.cpu import CpuReading
from loadstone.target.generation import Running
from loadstone.target.stage import Stage
from loadstone.verdict.worker_checks import more_workers, sendable_problem
from loadstone.workload.crew_start import secret_of, start_crew
from loadstone.workload.load_protocol import BlockDone, RunSelfTest, SelfTested
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.protocol import Hello

GENERATOR_LOG = "generator.log"
SELF_TEST_S = 1.0
ALONE = Crew()


def sendable(generator: LoadGenerator, stage: Stage, folder: Path) -> float | None:
    """Return the requests per second that all workers can send; None where their client is none of HTTP.

    All ask a server that does nothing at once. A worker can send what one core's second
    buys of the CPU that a request costs it meanwhile; the workers of a host together no
    more than its cores' seconds buy.
    """
    argv = [sys.executable, "-m", "loadstone.workload.null_server"]
    log = folder / "null-server.log"
    child = stage.supervisor.start("null server", argv, log=log, cwd=Path.cwd(), env=dict(os.environ))
    try:
        port = _told_port(log)
        # workers of other hosts ask a server of their own
        order = RunSelfTest(base_url=f"http://127.0.0.1:{port}", seconds=SELF_TEST_S)
        tested = generator.self_test(order)
    finally:
        stage.supervisor.stop(child, grace_s=0.5)
    return together(tested)


def together(tested: Sequence[tuple[Hello, SelfTested]]) -> float | None:
    """Return what workers can send together, by their self-tests; None where they sent nothing."""
    hosts: dict[str, list[float]] = {}
    cores: dict[str, int] = {}
    for hello, one in tested:
        if not one.requests or not one.cpu_s:
            return None
        hosts.setdefault(hello.host, []).append(one.requests / one.cpu_s)
        cores[hello.host] = hello.cores
    return sum(fmean(each) * min(len(each), cores[host]) for host, each in hosts.items())


def require_everybody(done: BlockDone, planned: int) -> None:
    """Require that every worker of the plan came to the end of what was offered.

    Raises:
        MeasurementError: what is offered next would not be like what was offered before.
    """
    ended = next((one for one in done.workers if one.ended), None)
    if ended is not None:
        raise MeasurementError(
            f"{ended.name} of {planned} is missing", cause=ended.ended, remedy="see the generators' logs"
        )
    if len(done.workers) < planned:
        raise MeasurementError(
            f"{planned - len(done.workers)} of {planned} workers are missing",
            cause="they ended before the load began",
            remedy="see the generators' logs",
        )


def refuse_too_much(peak_rps: float, sendable_rps: float | None, workers: int) -> None:
    """Refuse a plan beyond what the generators can send faithfully: they would measure themselves.

    Raises:
        MeasurementError: it is.
    """
    problem = sendable_problem(peak_rps, sendable_rps, workers) if sendable_rps else ""
    if problem:
        raise MeasurementError(
            "the plan is beyond what this generator can send faithfully",
            cause=problem + "; a plan may ask for 60% of it",
            remedy=more_workers(peak_rps, sendable_rps or math.inf, workers, os.cpu_count() or 1),
        )


@contextmanager
def open_generator(
    stage: Stage,
    folder: Path,
    crew: Crew = ALONE,
    *,
    title: str = "",
    tell: Callable[[str], None] = lambda _text: None,
) -> Iterator[LoadGenerator]:
    """Start generators of offered load as children of the run, and wait for those of other hosts.

    Args:
        stage: that they belong to.
        folder: of the run, for their logs.
        crew: who sends.
        title: of the run, for the web UI.
        tell: takes what somebody who waits should know.

    Raises:
        MeasurementError: one did not come.
    """
    secret = secret_of(crew, stage.token)
    if secret:
        stage.supervisor.conceal(secret)
    logs = _logs(folder)

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        child = stage.supervisor.start(
            "load generator",
            argv,
            log=next(logs),
            cwd=Path.cwd(),
            env={**os.environ, TOKEN_VARIABLE: secret},
        )
        return child.process

    try:
        with start_crew(spawn, stage.token, crew, title=title, tell=tell) as generator:
            yield generator
    finally:
        for log in folder.glob("generator*.log"):
            scrub(log, telling_values(os.environ) | {secret})


def _logs(folder: Path) -> Iterator[Path]:
    yield folder / GENERATOR_LOG
    for place in itertools.count(2):
        yield folder / f"generator-{place}.log"


def spent_s(running: Running, before: CpuReading) -> float | None:
    """Return the CPU seconds of all the variant's processes since `before`; None: not ours to read."""
    return (running.cpu() - before).total_s()


def _told_port(log: Path) -> int:
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        with suppress(OSError):
            text = log.read_text()
            if text.endswith("\n"):
                return int(text)
        time.sleep(0.01)
    raise MeasurementError("the null server did not come up", remedy="see null-server.log in the run folder")
