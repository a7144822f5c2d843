"""Gunicorn's settings: the worker that the toggle `server` chooses, and nothing that happens by itself."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
POOLER_FOLDER = "SHOP_POOLER_FOLDER"
PREPARED = "SHOP_METRICS_FOLDER_IS"  # own or named, once this server has seen to it
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only heartbeats, in a file that gunicorn unlinks at once

# the sync worker closes the connection after each answer
WORKERS = {"sync": "sync", "gthread": "gthread", "asgi": "config.worker.Worker"}
# a choice that is none is told by the shop's settings, with all else that is wrong
worker_class = WORKERS.get(os.environ.get("SHOP_SERVER", ""), "gthread")
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = 1 if worker_class == "sync" else int(os.environ.get("SHOP_THREADS", "4"))  # with more it is gthread
preload_app = True
keepalive = 3600  # longer than any run: a reconnect would be charged to a request
max_requests = 0  # a worker that is replaced in between is cold
timeout = 120
graceful_timeout = int(
    os.environ.get("SHOP_GRACE_SECONDS", "1")
)  # idle connections are kept for as long, too
accesslog = None
errorlog = "-"
loglevel = os.environ.get("SHOP_LOG_LEVEL", "WARNING").lower()
control_socket_disable = True  # it would be a file in the user's home, shared by all servers
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None


def metrics_folder() -> None:
    """Make the folder of the metrics' files, or wipe the one that is named of an earlier server's.

    Once a server: this file is read again when a running server is told to reload.
    """
    if os.environ.get("SHOP_INSTRUMENTATION") != "prometheus" or os.environ.get(PREPARED):
        return
    if os.environ.get(METRICS_FOLDER):
        os.environ[PREPARED] = "named"
        for stale in Path(os.environ[METRICS_FOLDER]).glob("*.db"):
            stale.unlink(missing_ok=True)
    else:
        os.environ[PREPARED] = "own"
        os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="shop-metrics-")


def pooler_folder() -> None:
    """Make the folder in which a pooler of this server's own will listen; the shop's settings look for it."""
    if os.environ.get("SHOP_DB_CONNECTIONS") == "pgbouncer" and not os.environ.get(POOLER_FOLDER):
        os.environ[POOLER_FOLDER] = tempfile.mkdtemp(prefix="shop-pooler-")


metrics_folder()
pooler_folder()
_pooler: list[Any] = []


def on_starting(server: Any) -> None:  # noqa: ANN401, ARG001 - as below
    """Start the pooler before any worker, where there is to be one."""
    if os.environ.get(POOLER_FOLDER):
        from core.pooler import start  # noqa: PLC0415 - as below

        _pooler.append(start(Path(os.environ[POOLER_FOLDER])))


def post_fork(server: Any, worker: Any) -> None:  # noqa: ANN401, ARG001 - gunicorn has no types; it passes both
    """Count a worker that was started."""
    if os.environ.get(METRICS_FOLDER):
        from core.metrics import worker_started  # noqa: PLC0415 - the app is on the path by then

        worker_started(threads)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ANN401, ARG001 - as above
    """Write what a worker counted last; called in it."""
    if os.environ.get(METRICS_FOLDER):
        from core.metrics import LEDGER  # noqa: PLC0415 - as above

        LEDGER.write()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ANN401, ARG001 - gunicorn has no types; it passes both
    """Keep a dead worker's counts and drop its gauges."""
    if os.environ.get(METRICS_FOLDER):
        from prometheus_client import multiprocess  # noqa: PLC0415 - only where it is used

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:  # noqa: ANN401, ARG001 - as above
    """Remove the folders that this server made, and end its pooler."""
    if os.environ.get(PREPARED) == "own":
        shutil.rmtree(os.environ[METRICS_FOLDER], ignore_errors=True)
    for pooler in _pooler:
        pooler.terminate()
        pooler.wait()
    if os.environ.get(POOLER_FOLDER):
        shutil.rmtree(os.environ[POOLER_FOLDER], ignore_errors=True)
