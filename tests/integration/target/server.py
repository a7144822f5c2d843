"""The server under test: answers with its environment; some paths misbehave on request."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every GET."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer as the path says."""
        if self.path == "/burn":
            for _ in range(300_000):
                pass
        body = json.dumps(dict(os.environ)).encode() if self.path == "/env" else b"{}"
        self.send_response(200 if self.path != "/missing" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Write no log of requests."""


def main():
    port, *words = sys.argv[1:]
    if "--stray" in words:  # leaves its group and forgets its parent
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    sys.stdout.write(f"listening on {port} with {os.environ.get('DATABASE_URL')}\n")
    sys.stdout.flush()
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


main()
