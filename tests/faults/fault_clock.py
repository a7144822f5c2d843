"""A wall clock that is stepped, for the processes under test alone: libfaketime, where there is one."""

import glob
import importlib.util
import threading
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

STEP_S, EVERY_S = 3600, 0.2
OFFSETS_S = (STEP_S, -STEP_S)
PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")
"""Where Debian, and others, put what threads need."""


def library() -> str | None:
    """Return where libfaketime is: the system's, or that of PyPI's `libfaketime`; None: there is none."""
    found = [path for place in PLACES for path in sorted(glob.glob(place))]  # noqa: PTH207 - of whole paths
    spec = importlib.util.find_spec("libfaketime")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found += map(str, sorted(Path(folder).rglob("libfaketimeMT.so*")))
    return next(iter(found), None)


def environment(file: Path) -> dict[str, str]:
    """Return the variables of a process whose wall clock follows `file`; its monotonic one stays true."""
    if (preloaded := library()) is None:
        raise AssertionError("libfaketime is missing")
    return {
        "LD_PRELOAD": preloaded,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def set_offset(file: Path, seconds: int) -> None:
    """Let the wall clock of whoever follows `file` go by so many seconds off the true one."""
    temporary = file.with_suffix(".tmp")
    temporary.write_text(f"{seconds:+d}\n")
    temporary.rename(file)


class Stepper:
    """Steps a clock on and back until it is closed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._step, daemon=True)
        self._thread.start()

    def _step(self) -> None:
        turn = 0
        while not self._over.wait(EVERY_S):
            turn += 1
            with suppress(OSError):  # the folder may be gone
                set_offset(self._file, OFFSETS_S[turn % 2])

    def close(self) -> None:
        """Step no more."""
        self._over.set()
        self._thread.join()


def require_steps(port: int, within_s: float = 10.0) -> None:
    """Require that a server's clock is seen to go on and back; raises `AssertionError`."""
    seen: set[int] = set()
    by = time.monotonic() + within_s
    while seen != set(OFFSETS_S):
        if time.monotonic() > by:
            raise AssertionError(f"the server's clock is off by {sorted(seen) or 'nothing'}")
        time.sleep(EVERY_S / 4)
        off_s = _off(f"http://127.0.0.1:{port}/health", within_s)
        seen |= {one for one in OFFSETS_S if abs(off_s - one) < STEP_S / 10}


def _off(url: str, timeout_s: float) -> float:
    with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - ours
        told = parsedate_to_datetime(answer.headers["Date"])
    return (told - datetime.now(UTC)).total_seconds()
