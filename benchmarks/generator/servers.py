"""A server worth asking: nginx on a core of its own, answering from memory; without it, one in Python."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GENERATOR_CORE, SERVER_CORE = 0, 1
PRODUCT = {
    "id": 17,
    "name": "Waxed cotton field jacket",
    "slug": "waxed-cotton-field-jacket",
    "price": "149.90",
    "currency": "EUR",
    "in_stock": True,
    "category": {"id": 4, "slug": "jackets", "name": "Jackets"},
    "rating": 4.3,
    "reviews": 128,
    "description": "A sturdy jacket of waxed cotton, with four pockets and a corduroy collar.",
}
DETAIL, LIST, TREE = "/products/17", "/products", "/categories"
ANSWERS: dict[str, object] = {
    DETAIL: PRODUCT,
    LIST: {"count": 1000, "next": None, "results": [{**PRODUCT, "id": number} for number in range(10)]},
    TREE: [{"id": number, "slug": f"department-{number}", "parent": None} for number in range(8)],
}


@dataclass(frozen=True)
class Server:
    """A running server."""

    base_url: str
    name: str


@contextmanager
def serving() -> Iterator[Server]:
    """Serve `ANSWERS` on 127.0.0.1 from a core that the generators do not use."""
    with tempfile.TemporaryDirectory(prefix="loadstone-bench-") as folder:
        port = free_port()
        nginx = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)
        argv = _nginx(nginx, Path(folder), port) if nginx else [sys.executable, __file__, str(port)]
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, preexec_fn=lambda: pin(SERVER_CORE))  # noqa: PLW1509 - no threads here yet
        try:
            wait_for(port)
            yield Server(f"http://127.0.0.1:{port}", "nginx" if nginx else "a Python server")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def pin(core: int) -> None:
    """Bind this process to one core, where there is more than one."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def _nginx(program: str, folder: Path, port: int) -> list[str]:
    locations = "".join(
        f"    location = {path} {{ return 200 '{json.dumps(body)}'; }}\n" for path, body in ANSWERS.items()
    )
    paths = "".join(
        f"  {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/log;\n"
        "events { worker_connections 4096; }\n"
        "http {\n"
        f"  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 1h;\n{paths}"
        "  default_type application/json;\n"
        f"  server {{\n    listen 127.0.0.1:{port};\n{locations}  }}\n}}\n"
    )
    return [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Return when somebody listens on `port`."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("the server did not come up")


def _serve(port: int) -> None:
    """Answer requests from one event loop, without looking at more than their first line."""
    import asyncio  # noqa: PLC0415 - only this fallback needs it

    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:"
    texts = {path: json.dumps(body) for path, body in ANSWERS.items()}
    ready = {path.encode(): f"{head} {len(text)}\r\n\r\n{text}".encode() for path, text in texts.items()}

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.write = transport.write  # type: ignore[attr-defined]

        def data_received(self, data: bytes) -> None:
            self.write(ready[data.split(b" ", 2)[1]])

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(main())


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
