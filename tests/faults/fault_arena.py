"""A project of somebody's, whose target is the small server to be broken, and a run of it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fault_clock
import psutil

from loadstone.target.clean import clean_state

TARGET = Path(__file__).parent / "target"
ROOT = Path(__file__).parents[2]
CONFIG = """\
[target]
command = [<command>]
health = "/health"
start_timeout = "30s"

[target.env]
PYTHONPATH = "<target>"
<environment>

[data]
postgres = <postgres>
redis = <redis>

[compare]
scenario = "browse.py"

[load]
most_lag = "<lag>"
warm_up = "500ms"
drain = "3s"

[toggles.speed]
choices = ["slow", "fast"]
default = "slow"
env = "SPEED"
"""
MEASURED_S = 1.5
PLAIN = '"{python}", "<target>/server.py", "{port}"'
GUNICORN = (
    '"{python}", "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "4", '
    '"--keep-alive", "3600", "--no-control-socket", "--bind", "{host}:{port}", "wsgi"'
)
JOURNALS = {
    "pair": ("journal.jsonl", "generation"),
    "capacity": ("capacity.jsonl", "search"),
    "load-compare": ("load.jsonl", "probe"),
}
"""The journal, and the kind of line behind which a lane's fault is wanted."""
COMPANION = """
[target.companions.worker]
command = ["{python}", "-m", "celery", "--app", "jobs", "worker", "--pool", "solo", "--loglevel", "INFO",
  "--without-gossip", "--without-mingle", "--without-heartbeat"]
ready = "ready."
"""
SLO = ("--slo", "p95<200ms", "--window", "1s", "--repeats", "1", "--budget", "90s", "--max-rate", "40")
LANE_WORDS = {
    "probe": ("compare", "speed=slow", "speed=fast", "--lane", "probe"),
    "pair": (
        "compare",
        "speed=slow",
        "speed=fast",
        "--budget",
        "35s",
        "--tracks",
        "1",
        "--gate",
        "latency_mean,errors",
    ),
    "load": (
        *("load", "speed=fast", "--rate", "30", "--for", "5s"),
        *("--threshold", "errors<1%", "--threshold", "p95<200ms"),
    ),
    "capacity": ("capacity", "speed=fast", *SLO),
    "load-compare": (
        *("compare", "speed=slow", "speed=fast", "--lane", "load"),
        *("--rate", "30", "--budget", "75s"),
    ),
}


class Arena:
    """A project folder, what is said in it, and the run that goes on."""

    def __init__(self, folder: Path, fault: str) -> None:
        self.folder = folder
        self.fault = fault
        self._write()
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        """One of another host, as it were."""
        self._offering_since = 0.0

    def _write(self) -> None:
        kind = self.fault.split("-")[0]
        redis, postgres = kind in {"redis", "celery"}, kind in {"postgres", "autovacuum"}
        environment = ['DATABASE_URL = "{database_url}"'] if postgres else []
        environment += ['REDIS_URL = "{redis_url}"'] if redis else []
        environment += ['QUEUE = "yes"'] if kind == "celery" else []
        if kind == "clock":
            fault_clock.set_offset(self.clock, 0)
            variables = fault_clock.environment(self.clock)
            environment += [f'{name} = "{value}"' for name, value in variables.items()]
        text = CONFIG + (COMPANION if kind == "celery" else "")
        for name, value in {
            "<command>": GUNICORN if kind == "gunicorn" else PLAIN,
            "<environment>": "\n".join(environment),
            "<postgres>": str(postgres).lower(),
            "<redis>": str(redis).lower(),
            # a machine that is busy with other cells makes work late too, which is not the fault
            "<lag>": "10ms" if self.fault == "generator-starved" else "5s",
            "<target>": str(TARGET),
        }.items():
            text = text.replace(name, value)
        (self.folder / "loadstone.toml").write_text(text)
        # who waits for a fault to be injected must not give up before it is there
        patience = "1.0" if self.fault == "server-hangs" else "15.0"
        scenario = (TARGET / "browse.py").read_text().replace("PATIENCE_S", patience)
        (self.folder / "browse.py").write_text(scenario)

    @property
    def clock(self) -> Path:
        """Return the file that says how far off the wall clock of the servers is, where that is the fault."""
        return self.folder / "clock"

    @property
    def reports(self) -> Path:
        """Return the folder of runs."""
        return self.folder / "reports"

    def run_folder(self) -> Path | None:
        """Return the folder of the run; None before it is there."""
        return next(iter(sorted(self.reports.glob("2*"))), None)

    def start(self, *words: str) -> None:
        """Start `loadstone WORDS` in the project."""
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "loadstone", *words],
                cwd=self.folder,
                env=environment,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )

    def said(self) -> str:
        """Return what was said so far, on both streams."""
        return "".join(each.read_text(errors="replace") for each in (self.out, self.err) if each.exists())

    def expect_a_worker(self) -> tuple[str, ...]:
        """Start a worker that waits for a master, and return the words that let a run wait for it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        argv = [sys.executable, "-m", "loadstone", "worker", "--master", address]
        with (self.folder / "worker.log").open("wb") as log:
            self.worker = subprocess.Popen(argv, cwd=self.folder, stdout=log, stderr=log)
        return ("--workers", "1", "--expect-workers", "1", "--bind", address)

    def finish(self, seconds: float) -> int | None:
        """Wait for the end and return the exit code; None: it hung, and was killed."""
        if self.process is None:
            raise AssertionError("nothing was started")
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def reached(self, lane: str) -> bool:
        """Tell whether the run has come to where the lane's fault is wanted."""
        run = self.run_folder()
        if lane == "probe":
            return True
        if lane == "load":  # a second later something is measured
            self._offering_since = self._offering_since or ("offering" in self.said()) * time.monotonic()
            return self._offering_since > 0 and time.monotonic() > self._offering_since + MEASURED_S
        if lane == "pair" and not self._sampling():
            return False
        # a search that begins at its highest rate is over with its first window
        name, kind = JOURNALS[lane]
        with suppress(OSError):
            return run is not None and f'"kind":"{kind}"' in (run / name).read_text()
        return False

    def _sampling(self) -> bool:
        """Tell whether requests are timed now: then the core's pace is sampled, where it can be."""
        for file in (self.folder / ".loadstone" / "slots").glob("*/pace-0"):
            with suppress(OSError), file.open("rb") as header:
                return header.read(1) == b"\x01"
        return len(os.sched_getaffinity(0)) == 1

    def children(self, *, own: bool = False) -> list[psutil.Process]:
        """Return the run's processes below the harness, or its own children; its watchdog is one of them."""
        if self.process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=not own)
        return []


@contextmanager
def arena(fault: str, *, disk: str = "") -> Iterator[Arena]:
    """Make a project; with `disk` its reports lie on a small file system of their own, mounted so."""
    folder = Path(tempfile.mkdtemp(prefix="loadstone-fault-"))
    folder.chmod(0o755)  # the services' account passes through
    mounted = False
    it = Arena(folder, fault)
    try:
        if disk:
            it.reports.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size=3m,{disk}", "tmpfs", str(it.reports)]
            subprocess.run(mount, check=True)
            mounted = True
        yield it
    finally:
        for one in (it.process, it.worker):
            if one is not None and one.poll() is None:
                one.kill()
                one.wait()
        time.sleep(0.1)
        if mounted:
            subprocess.run(["umount", "--lazy", str(it.reports)], check=True)
        clean_state(folder / ".loadstone")
        shutil.rmtree(folder, ignore_errors=True)
