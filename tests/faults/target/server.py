"""A small server to be broken: `server.py PORT`; see core.py."""

import json
import mmap
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import core

PORT = int(sys.argv[1])
FOREVER_S = 3600.0
busy = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        if self.path == "/health":
            self.say(200)
            return
        core.obey()
        with Turn():
            getattr(self, core.mode().replace("-", "_") or "well")()

    def well(self):
        with busy:
            status = core.answer()
        self.say(status)

    def hangs(self):
        time.sleep(FOREVER_S)

    def slow(self):
        time.sleep(0.3)
        self.say(200)

    def garbage(self):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n" * 3)
        self.close_connection = True

    def cuts(self):
        self.say(200, length=500)
        self.close_connection = True

    def miscounts(self):
        self.say(200, length=4)

    def redirects(self):
        self.say(302, headers=[("Location", self.path + "1")])

    def fails_fast(self):
        self.say(500)

    def say(self, status, length=None, headers=()):
        body = json.dumps({"path": "/page", "items": [1, 2, 3]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """Stay quiet."""


class Turn:
    """Tell the hog that a request of the judged variant goes on."""

    flag = None

    def __enter__(self):
        if core.JUDGED and Path("turn").exists():
            if Turn.flag is None:
                with Path("turn").open("r+b") as file:
                    Turn.flag = mmap.mmap(file.fileno(), 1)
            Turn.flag[0] = 1

    def __exit__(self, *_):
        if Turn.flag is not None:
            Turn.flag[0] = 0


def let_the_port_be_taken():
    """Ask for somebody who takes the port before we do, once."""
    try:
        Path("take-port").rename("port-asked")
    except FileNotFoundError:
        return
    Path("port-wanted.tmp").write_text(str(PORT))
    Path("port-wanted.tmp").rename("port-wanted")
    deadline = time.monotonic() + core.PATIENCE_S
    while not Path("port-taken").exists() and time.monotonic() < deadline:
        time.sleep(0.002)


if core.JUDGED:
    let_the_port_be_taken()
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
