"""What the server under fault does with a request, whoever serves it, and how it asks for its fault.

The judged variant (SPEED=fast) looks for a file `arm` in its working folder. Where there is one, it
writes `asked-<pid>` in the middle of a request and waits for `go-<pid>`: so a fault always hits a
request in flight, whatever the machine's speed. `once` in the file arms one process, `each` all.
"""

import os
import select
import time
from contextlib import closing, suppress
from pathlib import Path

JUDGED = os.environ.get("SPEED") == "fast"
DELAY_S = 0.001 if JUDGED else 0.004
ARM, MODE = (Path(name if JUDGED else f"{name}-of-nobody") for name in ("arm", "mode"))
"""Both variants look for as many files, so that looking costs both the same."""
PATIENCE_S = 20.0
_asked: set[int] = set()


def obey() -> None:
    """Ask for the fault, if this process is to have it, and wait until it is there."""
    pid = os.getpid()
    try:
        each = ARM.read_text() == "each"
        if pid in _asked:
            return
        if not each:
            ARM.rename("taken")
    except FileNotFoundError:
        return
    _asked.add(pid)
    Path(f"asked-{pid}").touch()
    deadline = time.monotonic() + PATIENCE_S
    while not Path(f"go-{pid}").exists() and time.monotonic() < deadline:
        pause(0.002)


def pause(seconds: float) -> None:
    """Sleep in a way that a stepped clock leaves alone: libfaketime spoils sleeps that end at an instant."""
    select.select([], [], [], seconds)


def mode() -> str:
    """Return how the judged variant misbehaves now; empty: it does not."""
    with suppress(FileNotFoundError):
        return MODE.read_text()
    return ""


def answer() -> int:
    """Do a request's work on whatever services there are, and return its status."""
    pause(DELAY_S)
    try:
        _use_services()
    except Exception as error:  # noqa: BLE001 - as frameworks do
        print(f"500: {error!r}", flush=True)
        return 500
    return 200


def _use_services() -> None:
    if url := os.environ.get("DATABASE_URL"):
        import psycopg2

        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    if url := os.environ.get("REDIS_URL"):
        _cache(url).set("page", "x" * 100)
        if os.environ.get("QUEUE"):
            from jobs import note

            note.apply_async(ignore_result=True)


_caches: list[object] = []


def _cache(url: str):
    import redis

    if not _caches:
        _caches.append(redis.Redis.from_url(url))
    return _caches[0]
