"""Several servers of the shop behind the nginx of the composed stack, without containers."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

CONFIG = Path(__file__).parents[1] / "deploy" / "compose" / "nginx.conf"
READY_S, GRACE_S = 90.0, 15.0
POLL_S = 0.05


class Fleet:
    """Servers on sockets in a folder, and nginx in front of those that are routed to.

    Args:
        folder: gets sockets, configuration and logs; its path has to be short, as sockets' names are.
        bind: HOST:PORT of nginx.
    """

    def __init__(self, folder: Path, bind: str) -> None:
        self.folder, self.bind = folder, bind
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.front: subprocess.Popen[bytes] | None = None
        if shutil.which("nginx") is None:
            sys.exit("there is no nginx on this machine\nremedy: apt-get install nginx-light")

    def start(self, name: str, shop: Path, env: Mapping[str, str]) -> None:
        """Start a server of the code in `shop`; it is not ready yet."""
        home = self.folder / f"{name}.home"
        home.mkdir()
        argv = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        argv += ["--bind", f"unix:{self.socket(name)}", "config.wsgi"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.servers[name] = subprocess.Popen(
                argv, cwd=shop, env={**env, "TMPDIR": str(home)}, stdout=log, stderr=log
            )

    def await_ready(self, name: str) -> None:
        """Wait until a server says that it can serve."""
        by = time.monotonic() + READY_S
        while not is_ready(self.socket(name)):
            if self.servers[name].poll() is not None or time.monotonic() > by:
                sys.exit(f"{name} does not serve:\n{(self.folder / f'{name}.log').read_text()[-2000:]}")
            time.sleep(POLL_S)

    def route(self, names: Sequence[str]) -> None:
        """Have nginx hand requests to these servers, and wait until it hands them to no others."""
        config = self.folder / "nginx.conf"
        config.write_text(self._config(names), encoding="utf-8")
        if self.front is None:
            # started by root it would become somebody who may not open the sockets
            as_root = " user root;" if os.geteuid() == 0 else ""
            argv = ["nginx", "-e", "stderr", "-c", str(config), "-g", f"daemon off;{as_root}"]
            with (self.folder / "nginx.log").open("wb") as log:
                self.front = subprocess.Popen(argv, stdout=log, stderr=log)
            self._await_front()
            return
        before = {child.pid for child in psutil.Process(self.front.pid).children()}
        self.front.send_signal(signal.SIGHUP)
        by = time.monotonic() + GRACE_S
        while before & {child.pid for child in psutil.Process(self.front.pid).children()}:
            if time.monotonic() > by:
                sys.exit("nginx still answers by its earlier configuration")
            time.sleep(POLL_S)

    def _await_front(self) -> None:
        """Wait until nginx takes connections."""
        host, _, port = self.bind.rpartition(":")
        by = time.monotonic() + GRACE_S
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                if time.monotonic() > by:
                    sys.exit(f"nginx does not serve:\n{(self.folder / 'nginx.log').read_text()[-2000:]}")
                time.sleep(POLL_S)
            else:
                return

    def stop(self, name: str) -> None:
        """End a server, which answers what it has begun."""
        server = self.servers.pop(name)
        server.terminate()
        server.wait(GRACE_S)

    def close(self) -> None:
        """End everything."""
        started = [*self.servers.values(), *([self.front] if self.front else [])]
        for each in started:
            each.terminate()
        for each in started:
            try:
                each.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                each.kill()

    def socket(self, name: str) -> Path:
        """Return where a server listens."""
        return self.folder / f"{name}.sock"

    def _config(self, names: Sequence[str]) -> str:
        """Return the stack's own configuration, for these servers and this folder."""
        text = CONFIG.read_text(encoding="utf-8").replace("/tmp/", f"{self.folder}/")  # noqa: S108 - the image's
        server = re.search(r" *server app:8000 (.*;)\n", text)
        if server is None:
            sys.exit(f"{CONFIG} hands requests to no app:8000")
        lines = [f"    server unix:{self.socket(name)} {server[1]}\n" for name in names]
        text = text.replace(server[0], "".join(lines)).replace("listen 8080;", f"listen {self.bind};")
        return text.replace(
            "server_tokens off;", "server_tokens off;\n  add_header X-Server $upstream_addr always;"
        )


def is_ready(path: Path) -> bool:
    """Return whether the server on a socket answers that it is ready."""
    connection = http.client.HTTPConnection("localhost", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(5)
    try:
        connection.sock.connect(str(path))
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def variables(**more: str) -> dict[str, str]:
    """Return this process's environment with `more`."""
    return {**os.environ, **more}
