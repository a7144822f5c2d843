"""One process that was started: is it alive, how did it end, what did it write?"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loadstone.target.urls import redact

TAIL_LINES = 20
TAIL_BYTES = 8192


@dataclass(slots=True, eq=False)
class Child:
    """A process that was started, in a session of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals
    tag: str
    secrets: frozenset[str]
    starter: str = ""
    """Name of the thread that started it."""

    @property
    def pid(self) -> int:
        """The process' id, which is that of its group and session too."""
        return self.process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of what it wrote, without passwords."""
        return redact(read_tail(self.log, lines), *self.secrets)

    def ending(self) -> str:
        """Say how it ended: its exit code or the signal that killed it."""
        return describe_exit(self.process.poll())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, if it still runs."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """Kill its whole process group; only while it has not been waited for."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def describe_exit(status: int | None) -> str:
    """Return an exit status as words."""
    if status is None:
        return "is still running"
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"exited with code {status}"


def read_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a file, as much as fits into 8 kB."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
