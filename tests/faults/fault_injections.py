"""Doing the damage: one function a fault, called while a request of the judged variant is in flight."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from fault_arena import TARGET, Arena
from fault_clock import Stepper, require_steps

STOPPED_S = 10.0
STARVED_S, FED_S = 0.06, 0.04
EVERY_GENERATION = ("postgres-full", "redis-readonly", "redis-memory", "autovacuum-storm")
"""Services start afresh in every generation, so that these faults must be made again."""
MODES = ("hangs", "slow", "garbage", "cuts", "miscounts", "redirects", "fails-fast")


@dataclass
class Damage:
    """What a fault needs to keep until the cell is over."""

    arena: Arena
    kept: list[Any] = field(default_factory=list)
    filler: Path | None = None
    done: int = 0

    def do(self, pid: int) -> None:
        """Inject the arena's fault; `pid` serves a request of the judged variant, and waits."""
        fault = self.arena.fault
        kind, _, how = fault.partition("-")
        if fault in INJECTIONS:
            INJECTIONS[fault](self, pid)
        elif kind == "server" and how in MODES:
            (self.arena.folder / "mode").write_text(how)
        else:
            self._kill(kind, pid, signal.SIGKILL if how == "kill" else signal.SIGTERM)
        self.done += 1

    def _kill(self, kind: str, pid: int, number: signal.Signals) -> None:
        harness = self.arena.process
        if harness is None:
            raise AssertionError("nothing runs")
        victim = {"harness": harness.pid, "server": pid, "gunicorn": pid}.get(kind) or self._find(kind)
        os.kill(victim, number)

    def _find(self, kind: str) -> int:
        pattern = {
            "postgres": r"bin/postgres ",
            "redis": r"redis-server",
            "celery": r"-m celery ",
            "generator": r"loadstone\.workload\.(load_)?(generator|worker)",
            "reaper": r"reaper\.py",
            "master": r"loadstone\.workload\.load_master",
        }[kind]
        for child in self.arena.children(own=True):
            with suppress(psutil.Error):
                if re.search(pattern, " ".join(child.cmdline()) + " "):
                    return child.pid
        raise AssertionError(f"no {kind} runs")

    def close(self) -> None:
        """Give back what the fault took."""
        for each in self.kept:
            if isinstance(each, subprocess.Popen):
                each.kill()
                each.wait()
            else:
                each.close()


class Repeated:
    """Does something over and over in a thread, until it is closed or fails."""

    def __init__(self, step: Callable[[], None], end: Callable[[], None]) -> None:
        self._over, self._step, self._end = threading.Event(), step, end
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(Exception):  # what it works on has gone
            while not self._over.is_set():
                self._step()

    def close(self) -> None:
        """End it, and undo what it may have left."""
        self._over.set()
        self._thread.join()
        with suppress(Exception):
            self._end()


def _environment(pid: int, name: str) -> str:
    return psutil.Process(pid).environ()[name]


def _use_up_connections(damage: Damage, pid: int) -> None:
    import psycopg2

    url = _environment(pid, "DATABASE_URL")
    damage.close()  # those of the generation before, which nobody serves any more
    damage.kept.clear()
    with suppress(psycopg2.OperationalError):
        for _ in range(1000):
            damage.kept.append(psycopg2.connect(url))


def _storm(damage: Damage, pid: int) -> None:
    import psycopg2

    damage.close()
    damage.kept.clear()
    connection = psycopg2.connect(_behind_the_tap(damage, _environment(pid, "DATABASE_URL")))
    connection.autocommit = True
    cursor = connection.cursor()
    damage.kept.append(Repeated(lambda: cursor.execute("VACUUM ANALYZE"), connection.close))


def _behind_the_tap(damage: Damage, url: str) -> str:
    """Return a database URL at its server itself: what passes the tap of the probe is the variant's."""
    server = psutil.Process(damage._find("postgres"))
    ports = [one.laddr.port for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    taken = re.search(r"@127\.0\.0\.1:(\d+)/", url)
    if taken is None or int(taken[1]) in ports or not ports:
        return url
    return url.replace(f":{taken[1]}/", f":{ports[0]}/")


def _starve_the_generator(damage: Damage, _pid: int) -> None:
    generator = psutil.Process(damage._find("generator"))

    def starve() -> None:
        generator.suspend()
        time.sleep(STARVED_S)
        generator.resume()
        time.sleep(FED_S)

    damage.kept.append(Repeated(starve, generator.resume))


def _configure_redis(*words: str) -> Callable[[Damage, int], None]:
    def configure(_damage: Damage, pid: int) -> None:
        import redis

        with redis.Redis.from_url(_environment(pid, "REDIS_URL")) as client:
            client.execute_command(*words)

    return configure


def _stop_the_harness(damage: Damage, pid: int) -> None:
    if damage.arena.process is None:
        raise AssertionError("nothing runs")
    damage.arena.process.send_signal(signal.SIGSTOP)
    (damage.arena.folder / f"go-{pid}").touch()
    time.sleep(STOPPED_S)
    damage.arena.process.send_signal(signal.SIGCONT)


def _fill_the_disk(damage: Damage, _pid: int) -> None:
    damage.filler = damage.arena.reports / "filler"
    with damage.filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def _step_the_clock(damage: Damage, pid: int) -> None:
    damage.kept.append(Stepper(damage.arena.clock))
    require_steps(int(psutil.Process(pid).cmdline()[-1]))


def _start_hogs(damage: Damage, _pid: int) -> None:
    flag = damage.arena.folder / "turn"
    flag.write_bytes(b"\0")
    for core in sorted(os.sched_getaffinity(0)):
        argv = [sys.executable, str(TARGET / "hog.py"), str(flag), str(core)]
        damage.kept.append(subprocess.Popen(argv))


INJECTIONS: dict[str, Callable[[Damage, int], None]] = {
    "postgres-full": _use_up_connections,
    "redis-readonly": _configure_redis("REPLICAOF", "127.0.0.1", "1"),
    "redis-memory": _configure_redis("CONFIG", "SET", "maxmemory", "1"),
    "harness-stop": _stop_the_harness,
    "disk-full": _fill_the_disk,
    "hog": _start_hogs,
    "autovacuum-storm": _storm,
    "generator-starved": _starve_the_generator,
    "clock-step": _step_the_clock,
}
BEFORE_THE_START = ("reports-readonly",)


@contextmanager
def damage_of(arena: Arena, lane: str) -> Iterator[Callable[[], Damage]]:
    """Yield what is to be called again and again while the run goes on: it arms, and injects when asked."""
    damage = Damage(arena)
    armed = False

    def tend() -> Damage:
        nonlocal armed
        if not armed and arena.fault not in BEFORE_THE_START:
            early = arena.fault == "port-taken" and lane != "pair"  # load and capacity start it but once
            if armed := early or arena.reached(lane):
                _arm(arena)
        _take_port(damage)
        for asked in arena.folder.glob("asked-*"):
            pid = int(asked.name.removeprefix("asked-"))
            asked.unlink()
            damage.do(pid)
            (arena.folder / f"go-{pid}").touch()
        return damage

    try:
        yield tend
    finally:
        damage.close()


def _arm(arena: Arena) -> None:
    if arena.fault == "port-taken":
        (arena.folder / "take-port").touch()
        return
    temporary = arena.folder / "arm.tmp"
    temporary.write_text("each" if arena.fault in EVERY_GENERATION else "once")
    temporary.rename(arena.folder / "arm")


def _take_port(damage: Damage) -> None:
    wanted = damage.arena.folder / "port-wanted"
    if not wanted.exists():
        return
    damage.kept.append(socket.create_server(("127.0.0.1", int(wanted.read_text()))))
    wanted.unlink()
    (damage.arena.folder / "port-taken").touch()
    damage.done += 1
