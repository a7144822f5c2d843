"""Two servers, and generators that talk to them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from lean import Lean, gunicorn

from loadstone.workload.protocol import PairsDone, RunPairs, Side
from loadstone.workload.remote import Generator, start_generator

SERVER = Path(__file__).parents[2] / "fixtures" / "echo_server.py"
TOKEN = "generator-test"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="package")
def sides() -> Iterator[list[Side]]:
    """Two servers: before takes 2 ms, after takes 1 ms."""
    ports = [free_port(), free_port()]
    servers = [
        subprocess.Popen([sys.executable, str(SERVER), str(port), delay, str(other)])
        for port, delay, other in zip(ports, ("2", "1"), reversed(ports), strict=True)
    ]
    try:
        for port in ports:
            _await(port)
        yield [
            Side(variant=name, base_url=f"http://127.0.0.1:{port}")
            for name, port in zip(("before", "after"), ports, strict=True)
        ]
    finally:
        for server in servers:
            server.kill()
            server.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    """A server that keeps connections alive."""
    with gunicorn("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60") as found:
        yield found


@pytest.fixture(scope="package")
def lean() -> Iterator[Lean]:
    """A process in which lean clients are driven."""
    driver = Lean()
    yield driver
    driver.close()


@pytest.fixture
def generator_of(tmp_path: Path) -> Callable[[str], AbstractContextManager[Generator]]:
    """Start a generator that has loaded a scenario of this text."""
    return lambda text: _generator_of(tmp_path, text)


@pytest.fixture
def run_pairs() -> Callable[..., PairsDone]:
    """Run one small generation."""
    return _run_pairs


@contextmanager
def _generator_of(tmp_path: Path, text: str) -> Iterator[Generator]:
    scenario = tmp_path / "scenario.py"
    scenario.write_text(text)
    environment = {**os.environ, "LOADSTONE_RUN": TOKEN}
    children = []

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        children.append(subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL))
        return children[-1]

    with start_generator(spawn, sys.executable, TOKEN) as generator:
        generator.load(scenario)
        yield generator
    assert all(child.poll() is not None for child in children)


def _run_pairs(
    generator: Generator,
    sides: list[Side],
    on_measured: Callable[[], None] | None = None,
    on_ready: Callable[[], None] = lambda: None,
    **changes: object,
) -> PairsDone:
    plan = {
        "sides": sides,
        "users": 1,
        "seed": 1,
        "generation": 1,
        "health_path": "/health",
        "warm_s": 0.05,
        "warm_pairs": 5,
        "measure_s": 30.0,
        "max_pairs": 60,
        "gap_share": 0.1,
    }
    return generator.run_pairs(
        RunPairs(**{**plan, **changes}),
        on_ready=on_ready,
        on_progress=lambda _pairs: None,
        on_measured=on_measured,
    )
