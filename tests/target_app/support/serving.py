"""Asking a shop that runs as a process of its own."""

import json
import time
from urllib.error import URLError
from urllib.request import Request, urlopen


def fetch(url):
    with urlopen(url, timeout=10) as answer:  # noqa: S310 - a server of ours
        return answer.status, answer.read().decode()


def await_ready(base, child, log):
    for _ in range(400):
        try:
            return fetch(f"{base}/health/ready")
        except (URLError, ConnectionError):
            assert child.alive(), log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def send(url, body, timeout=10):
    """Post JSON and return the status and the answer."""
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - ours
    with urlopen(request, timeout=timeout) as answer:  # noqa: S310 - as above
        return answer.status, json.loads(answer.read())
