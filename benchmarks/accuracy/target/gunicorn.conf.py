"""Gunicorn's settings: threads that keep connections alive, and nothing that happens by itself."""

from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only heartbeats, in a file that gunicorn unlinks at once

worker_class = "gthread"
workers = 1
threads = 4
keepalive = 3600
max_requests = 0
graceful_timeout = 1
timeout = 120
accesslog = None
loglevel = "warning"
control_socket_disable = True
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
