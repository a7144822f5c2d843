"""ASGI entry, for `SHOP_SERVER=asgi`."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class BoundedHandler(ASGIHandler):
    """Django's, which would write a body of any length to the disk before any view looks at it."""

    async def read_body(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> IO[bytes]:
        """Return the body; of one that is too long, enough to see that."""
        left: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

        async def receive_bounded() -> Mapping[str, Any]:
            nonlocal left
            message = await receive()
            had, left = left, left - len(message.get("body", b""))
            return message if had >= 0 else {**message, "body": b""}

        return await super().read_body(receive_bounded)


def _with_sockets(http: Any) -> Any:  # noqa: ANN401 - ASGI applications have no type that all agree on
    from channels.routing import ProtocolTypeRouter  # noqa: PLC0415 - for those alone who chose it

    from tracking import sockets  # noqa: PLC0415 - as above

    return ProtocolTypeRouter({"http": http, "websocket": sockets.application})


django.setup(set_prefix=False)
application: Any = BoundedHandler()
if os.environ.get("SHOP_UPDATES") == "websocket":
    application = _with_sockets(application)
