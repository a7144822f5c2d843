"""Locust's own web UI during a run, with a page added: response times of before and after.

Locust's statistics are its own, for those who know them. The added page is drawn from
our recordings. Users cannot be started here: the plan decides what is sent.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, request
from locust.env import Environment
from locust.runners import STATE_RUNNING

PAGE = "/before-after"
_KEY = "before-after"
_COLUMNS = {
    "variant": "Variant",
    "requests": "# Requests",
    "failed": "# Failed",
    "rps": "RPS",
    "p50": "p50 (ms)",
    "p95": "p95 (ms)",
    "p99": "p99 (ms)",
    "p999": "p99.9 (ms)",
    "max": "Max (ms)",
}
_HTML = Path(__file__).parent / "before_after.html"
_LOOPBACK = {"127.0.0.1", "localhost"}


class Web:
    """The web UI of a master.

    Args:
        environment: with its runner.
        title: of the run.
        on_stop: called when somebody presses stop.
    """

    def __init__(self, environment: Environment, title: str, on_stop: Callable[[], None]) -> None:
        self._environment = environment
        self._title = title
        self._on_stop = on_stop
        self._page: dict[str, Any] = {"title": title, "variants": [], "seconds": []}

    def start(self, port: int) -> str:
        """Begin to serve on loopback; return the address. Raises `OSError` where the port is taken."""
        if port:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        else:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
        environment: Any = self._environment
        environment.locustfile = self._title
        environment.runner.state = STATE_RUNNING
        ui = environment.create_web_ui(host="127.0.0.1", port=port, delayed_start=True)
        ui.template_args["extended_tabs"] = [{"title": "Before / after", "key": _KEY}]
        structure = [{"key": key, "title": title} for key, title in _COLUMNS.items()]
        ui.template_args["extended_tables"] = [{"key": _KEY, "structure": structure}]
        self._add_routes(ui.app)
        ui.start()
        return f"http://127.0.0.1:{port}/"

    def show(self, page: bytes) -> None:
        """Show other figures from now on."""
        self._page = json.loads(page)

    def _add_routes(self, app: Any) -> None:  # noqa: ANN401 - Flask's types are not installed for mypy
        app.debug = False
        app.before_request(_refuse_strangers)
        app.after_request(self._extend_stats)
        app.view_functions["locust.swarm"] = self._swarm
        app.view_functions["locust.stop"] = self._stop
        app.add_url_rule(PAGE, "before_after", lambda: Response(_HTML.read_text(), mimetype="text/html"))
        app.add_url_rule(f"{PAGE}.json", "before_after_json", lambda: jsonify(self._page))

    @staticmethod
    def _swarm() -> Response:
        message = "the plan of this run decides what is sent; start another with `loadstone load`"
        return jsonify({"success": False, "message": message})

    def _stop(self) -> Response:
        self._on_stop()
        return jsonify({"success": True, "message": "Test stopped"})

    def _extend_stats(self, response: Response) -> Response:
        """Add our table to what Locust's own page asks for every two seconds."""
        if request.path == "/stats/requests" and response.is_json:
            told = {**response.get_json(), "extended_stats": [{"key": _KEY, "data": self._page["variants"]}]}
            response.set_data(json.dumps(told))
        return response


def _refuse_strangers() -> Response | None:
    """Refuse other sites that a browser has open: Locust's app lets any of them call it."""
    origin = request.headers.get("Origin")
    hosts = [request.host.rsplit(":", 1)[0], *([urlsplit(origin).hostname or ""] if origin else [])]
    if all(host in _LOOPBACK for host in hosts):
        return None
    return Response("this page is for this machine alone", status=403)
