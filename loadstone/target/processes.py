"""Child processes that cannot outlive the harness.

Three nets, each enough for most ends: `close` stops what was started; the kernel
signals direct children when the harness dies; the reaper, a process of its own,
stops whatever still carries the run's token and removes the run's folders.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from loadstone.errors import TargetError
from loadstone.secrecy import telling_values
from loadstone.target import reaper
from loadstone.target.accounts import Account
from loadstone.target.children import Child
from loadstone.target.reaper import RUN_VARIABLE, find_processes
from loadstone.target.urls import redact

__all__ = ["Child", "Supervisor", "find_processes", "outliving_children"]

CHILD_VARIABLE = "LOADSTONE_CHILD"
REAPER_PATIENCE_S = 60.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
"""Loaded before any fork: between fork and exec nothing may be imported."""
_thread = threading.local()
"""What `outliving_children` declared for each thread."""


class Supervisor:
    """Starts and stops the processes of one run.

    Args:
        token: names the run; twelve random hex digits unless given.
        scratch: folders removed at the end, however it comes; each must have the
            token in its path.
        secrets: texts that never appear in a log's tail.
    """

    def __init__(
        self, *, token: str | None = None, scratch: Sequence[Path] = (), secrets: Sequence[str] = ()
    ) -> None:
        self.token = token or new_token()
        self._children: list[Child] = []
        self._scratch: list[Path] = []
        self._secrets = frozenset(secrets)
        self._serial = itertools.count(1)
        self._reaper = self._start_reaper()
        for folder in scratch:
            self.remove_at_end(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def children(self) -> tuple[Child, ...]:
        """What was started and not stopped yet."""
        return tuple(self._children)

    def conceal(self, secret: str) -> None:
        """Keep a text out of the log tails of children started from now on."""
        self._secrets |= {secret}

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        stdin: bytes = b"",
        cores: Collection[int] = (),
    ) -> Child:
        """Start a process; raises TargetError when it cannot be executed.

        Args:
            name: what messages call it.
            argv: the program and its arguments.
            log: file that gets its standard output and error, appended.
            cwd: its working folder.
            env: its whole environment, to which the run's token is added; None: ours.
            account: who runs it; None: the caller.
            stop_signal: asks it to end in good order.
            death_signal: sent by the kernel when the harness dies.
            stdin: what it can read; then end of file.
            cores: CPU cores that it and its descendants may run on; empty: those of the caller,
                or of `on_cores`.
        """
        tag = f"{self.token}-{next(self._serial)}"
        environment = dict(os.environ if env is None else env)
        environment |= {RUN_VARIABLE: self.token, CHILD_VARIABLE: tag}
        hidden = self._secrets | telling_values(environment)
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            process = _spawn(
                argv,
                environment,
                log=log,
                cwd=cwd,
                account=account,
                before_exec=_before_exec(death_signal, cores or getattr(_thread, "cores", ())),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise TargetError(
                f"{name} could not be started",
                cause=f"{error} (command: {redact(' '.join(argv), *hidden)}; folder: {cwd})",
                remedy="check the command and its working folder",
            ) from error
        starter = threading.current_thread().name
        child = Child(name, process, log, stop_signal, tag, hidden, starter)
        self._children.append(child)
        _feed(process, stdin)
        return child

    def stop(self, *children: Child, grace_s: float = 3.0) -> None:
        """Ask processes to end, all at once; after `grace_s` kill what is left of their groups."""
        for child in children:
            if child.alive():
                child.signal(child.stop_signal)
        deadline = time.monotonic() + grace_s
        for child in children:
            while not _has_ended(child.pid) and time.monotonic() < deadline:
                time.sleep(0.002)
        for child in children:
            child.kill_group()
            child.process.wait()
            if child in self._children:
                self._children.remove(child)
        self._sweep({child.tag for child in children})

    def ask_to_end(self, thread: str) -> None:
        """Ask everything that a thread of this name started, and still runs, to end; do not wait."""
        for child in self.children:
            if child.starter == thread and child.alive():
                child.signal(child.stop_signal)

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
        stdin: bytes = b"",
        tick: Callable[[Child, float], None] | None = None,
        interval_s: float = 0.25,
    ) -> Child:
        """Run a command to its end and return it; `tick` gets it and the seconds so far."""
        started = time.monotonic()
        child = self.start(name, argv, log=log, cwd=cwd, env=env, account=account, stdin=stdin)
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(timeout=interval_s)
                    return child
                if tick is not None:
                    tick(child, time.monotonic() - started)
        finally:
            self.stop(child)

    def remove_at_end(self, folder: Path) -> None:
        """Have a folder of this run removed at the end; it must bear the token in its path."""
        self._scratch.append(folder.absolute())
        pipe = self._reaper.stdin
        if pipe is not None and not pipe.closed:
            with suppress(BrokenPipeError):
                pipe.write(f"{folder.absolute()}\n".encode())
                pipe.flush()

    def close(self) -> None:
        """Stop everything, then let the reaper check that nothing is left and remove the folders."""
        self.stop(*self._children)
        if self._reaper.stdin is not None:
            with suppress(BrokenPipeError):
                self._reaper.stdin.close()
        try:
            self._reaper.wait(REAPER_PATIENCE_S)
        except subprocess.TimeoutExpired:  # what it has found cannot be stopped; the next run tries again
            self._reaper.kill()
            with suppress(subprocess.TimeoutExpired):
                self._reaper.wait(1.0)
        if self._reaper.returncode != 0:  # somebody ended it: its work is done here
            reaper.stop_processes(self.token)
            for folder in self._scratch:
                reaper.remove_folder(folder, self.token)

    def _start_reaper(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-I", "-S", str(reaper.__file__), f"{reaper.SERVICE_PREFIX}{self.token}"]
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def _sweep(self, tags: set[str]) -> None:
        """Kill descendants of stopped children that left their group."""
        for pid in find_processes(self.token):
            with suppress(OSError):
                entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if any(f"{CHILD_VARIABLE}={tag}".encode() in entries for tag in tags):
                    os.kill(pid, signal.SIGKILL)


def new_token() -> str:
    """Return a name for a run that no other run has."""
    return secrets.token_hex(6)


def _spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    log: Path,
    cwd: Path,
    account: Account | None,
    before_exec: Callable[[], None] | None,
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=before_exec,  # noqa: PLW1509 - only the child itself can call prctl
        )


@contextmanager
def outliving_children(cores: Collection[int] = ()) -> Iterator[None]:
    """Declare that the calling thread outlives what it starts, and where that runs by default.

    What is started in the context is signalled by the kernel when the thread ends,
    so it must have been stopped by then.
    """
    _thread.outlives, _thread.cores = True, tuple(cores)
    try:
        yield
    finally:
        _thread.outlives, _thread.cores = False, ()


def _before_exec(number: signal.Signals, cores: Collection[int]) -> Callable[[], None] | None:
    """Return what the child runs before exec: it dies with us, and stays on its cores.

    The kernel goes by the thread that forked, not by the process: from a thread
    that may end earlier the signal would come too soon, and the reaper must do.
    """
    bound = threading.current_thread() is threading.main_thread() or getattr(_thread, "outlives", False)
    if not bound and not cores:
        return None
    parent = os.getpid()

    def arm() -> None:
        if cores:
            os.sched_setaffinity(0, cores)
        if bound:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:  # it died before the call
                os._exit(127)

    return arm


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.write(data)
            process.stdin.close()


def _has_ended(pid: int) -> bool:
    """Tell whether a child has ended, and leave it to be waited for, so that its pid stays taken."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
