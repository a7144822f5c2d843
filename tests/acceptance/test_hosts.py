"""Workers on other hosts: network namespaces of their own, with a link to this one and another clock."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from lean import free_port
from projects import Project

HERE, THERE = "10.213.71.1", "10.213.71.2"
AHEAD_S = 5000
TOKEN = {"LOADSTONE_WORKER_TOKEN": "two-hosts"}
FREE = ("unshare", "--time", "--monotonic", str(AHEAD_S))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, ...]]:
    """Words that start a program on another host, which reaches this one at `HERE`."""
    if not shutil.which("ip") or subprocess.run([*FREE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network and time namespaces may be made here")
    name = f"loadstone-{os.getpid()}"
    near, far = f"ls{os.getpid()}n", f"ls{os.getpid()}f"
    try:
        _connect(name, near, far)
    except subprocess.CalledProcessError as error:
        _disconnect(name, near)
        pytest.skip(f"no network namespaces may be made here: {error.stderr.decode().strip()}")
    yield ("ip", "netns", "exec", name, *FREE)
    _disconnect(name, near)


def _connect(name: str, near: str, far: str) -> None:
    """Make a namespace with a link to this one."""
    ip("netns", "add", name)
    ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
    ip("addr", "add", f"{HERE}/30", "dev", near)
    ip("link", "set", near, "up")
    ip("-n", name, "addr", "add", f"{THERE}/30", "dev", far)
    for device in ("lo", far):
        ip("-n", name, "link", "set", device, "up")


def _disconnect(name: str, near: str) -> None:
    for words in (("link", "del", near), ("netns", "del", name)):
        with suppress(subprocess.CalledProcessError):  # it was not made
            ip(*words)


@pytest.fixture
def worker(elsewhere, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `loadstone worker` there."""
    begun = []

    def start(*words: str, **token: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*elsewhere, sys.executable, "-m", "loadstone", "worker", *words],
            env=os.environ | TOKEN | token,
            cwd=tmp_path,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def expecting(project: Project, port: int, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A run that expects one worker elsewhere; its target can be reached from there."""
    config = project.folder / "loadstone.toml"
    text = config.read_text().replace('"{port}"]', '"{port}", "{host}"]')
    text = text.replace("[compare]", f'[compare]\nallowed_hosts = ["{HERE}"]')
    config.write_text(text + '\n[load]\nmost_lag = "5s"\nmost_rate = 1e6\n')
    address = ("--expect-workers", "1", "--bind", f"{HERE}:{port}", "--target-host", HERE)
    process = project.start(
        "load", "speed=fast", "--rate", "40", "--warm-up", "500ms", "--worker-timeout", "60s",
        "--allow-host", HERE, *address, *words, env=TOKEN,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def result(project: Project) -> dict:
    return json.loads((project.runs()[-1] / "load.json").read_text())


def test_a_worker_of_another_host_and_clock_sends_its_share(project, worker):
    port = free_port()
    with expecting(project, port, "--for", "3s", "--workers", "1") as run:
        worker("--master", f"{HERE}:{port}", "--allow-target", HERE)
        out, err = run.communicate(timeout=90)
    assert run.returncode == 0, out + err
    told = result(project)
    assert told["due"] == told["overall"]["outcomes"]["ok"] == 120
    assert [one["due"] for one in told["workers"]] == [60, 60]
    remote = next(one for one in told["workers"] if one["clock_offset_us"] is not None)
    assert abs(abs(remote["clock_offset_us"]) - AHEAD_S * 1e6) < 1e6
    assert 0 < remote["clock_bound_us"] < 1e6


def test_a_link_that_is_down_for_a_while_loses_no_arrival(project, worker):
    """What is sent meanwhile waits, or fails; every arrival is told of, reports that waited too."""
    port = free_port()
    with expecting(project, port, "--for", "8s") as run:
        worker("--master", f"{HERE}:{port}", "--allow-target", HERE)
        while "offering" not in (line := run.stderr.readline()):
            assert line
        near = f"ls{os.getpid()}n"
        time.sleep(2)
        ip("link", "set", near, "down")
        time.sleep(2)
        ip("link", "set", near, "up")
        ip("addr", "replace", f"{HERE}/30", "dev", near)
        out, err = run.communicate(timeout=120)
    told = result(project)
    assert told["due"] == told["overall"]["requests"] == 320, out + err
    assert told["lost"] == 0


@pytest.mark.parametrize(
    ("words", "token", "told"),
    [
        ((), {}, f"remedy: start it with --allow-target {HERE}"),
        (("--allow-target", HERE), {"LOADSTONE_WORKER_TOKEN": "guess"}, "does not know the run's token"),
    ],
    ids=["no target", "no secret"],
)
def test_a_worker_says_what_it_lacks(project, worker, words, token, told):
    port = free_port()
    with expecting(project, port, "--for", "3s") as run:
        called = worker("--master", f"{HERE}:{port}", *words, **token)
        _, err = called.communicate(timeout=60)
        assert called.returncode == 2, err
        assert told in err
        assert run.poll() is None or run.returncode != 0
