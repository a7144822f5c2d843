"""The server that `loadstone doctor --noise` compares with itself: `reference_server.py PORT`.

Every answer costs the same work, about 5 ms of what web applications do all day:
make records, sort them, write them as JSON and read them again. It needs nothing
but Python, so that what is measured is the machine.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECORDS, ROUNDS = 120, 8


def work() -> bytes:
    """Do a fixed amount of work and return its result."""
    body = ""
    for _ in range(ROUNDS):
        records = [
            {"id": one, "name": f"record {one * 7919 % RECORDS}", "price": one * 37 % 1009 / 100}
            for one in range(RECORDS)
        ]
        records.sort(key=lambda record: (str(record["name"]), record["id"]))
        body = json.dumps(json.loads(json.dumps(records))[:10])
    return body.encode()


class Handler(BaseHTTPRequestHandler):
    """Answers every path with the same result, on connections that are kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Work, and answer."""
        body = b"{}" if self.path == "/health" else work()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
