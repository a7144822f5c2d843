"""Uvicorn as a worker of gunicorn, so that all servers are started, told and stopped alike."""

import os
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker

SOCKETS = {"websocket": "websockets-sansio"}
"""What speaks WebSocket, by the toggle `updates`; nothing, where nobody is to be told."""


class Worker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """Uvicorn on uvloop and httptools; Django has nothing to do at its start and end."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": SOCKETS.get(os.environ.get("SHOP_UPDATES", ""), "none"),
        "lifespan": "off",
        "proxy_headers": False,  # it would believe X-Forwarded-For of any client on this host
    }

    def load_wsgi(self) -> None:
        """Serve what speaks ASGI, whatever gunicorn was told: its command is the same for all servers."""
        from config.asgi import application  # noqa: PLC0415 - settings must not be read with gunicorn's

        self.wsgi = application
