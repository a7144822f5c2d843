"""What a run leaves behind: processes, ports, shared memory, folders. Nothing may be left."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from fault_arena import Arena

from loadstone.target.accounts import stand_in
from loadstone.target.reaper import find_processes

PATIENCE_S = 12.0
"""The watchdog gives up after ten."""


@dataclass
class Traces:
    """What a run was seen to use while it went on."""

    arena: Arena
    processes: dict[int, float] = field(default_factory=dict)
    """Creation time, by pid."""
    tokens: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    maps: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Note what runs now."""
        for child in self.arena.children():
            with suppress(psutil.Error, OSError):
                if child.pid not in self.processes:
                    self.processes[child.pid] = child.create_time()
                    self._note(child)

    def _note(self, child: psutil.Process) -> None:
        with suppress(KeyError, psutil.Error):
            self.tokens.add(child.environ()["LOADSTONE_RUN"])
        if "bin/postgres" in " ".join(child.cmdline()):
            self.processes.pop(child.pid)  # its shared memory comes a little later: look again
            text = Path(f"/proc/{child.pid}/maps").read_text()
            self.maps |= {word for word in text.split() if "/PostgreSQL." in word}
        for one in child.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN:
                self.ports.add(one.laddr.port)

    def left(self) -> list[str]:
        """Return what is left once the run had time to clean up."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self._found()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _found(self) -> list[str]:
        found = [f"process {pid}" for token in self.tokens for pid in find_processes(token)]
        for pid, created in self.processes.items():
            with suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).create_time() == created and f"process {pid}" not in found:
                    found.append(f"process {pid}")
        listening = {
            one.laddr.port for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN
        }
        found += [f"port {one}" for one in sorted(self.ports & listening)]
        found += [f"shared memory {one}" for one in sorted(self.maps) if Path(one).exists()]
        return found + [f"folder {one}" for one in self._folders()]

    def _folders(self) -> list[Path]:
        state = self.arena.folder / ".loadstone"
        places = [state / "slots", stand_in(state) / "slots", Path("/tmp")]  # noqa: S108 - what is left there
        return [
            each
            for place in places
            for token in self.tokens
            if place.is_dir()
            for each in place.glob(f"*{token}*")
        ]
