"""A carrier that sees how many ask it at once."""

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATER_S = 0.15
"""How long it waits for one more than it expects."""
PATIENCE_S = 1.5


class CountingCarrier(ThreadingHTTPServer):
    """Answers nobody until `expected` clients wait, and a moment longer: one too many would show."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, expected):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.expected, self.waiting, self.most = expected, 0, 0
        self.turn = threading.Condition()
        self.enough = threading.Event()

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for_the_others(self):
        """Hold a client until enough are there."""
        with self.turn:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            self.turn.notify_all()
            self.turn.wait_for(lambda: self.waiting >= self.expected or self.enough.is_set(), PATIENCE_S)
        self.enough.wait(LATER_S)
        with self.turn:
            self.waiting -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.wait_for_the_others()
        body = json.dumps({"country": self.path[-2:], "days": 3, "price": "4.90"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # who had no patience is gone
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def carrier(expected):
    """Run such a carrier."""
    with CountingCarrier(expected) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
