"""ASGI entry, for `SHOP_SERVER=asgi`."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _with_sockets(http: Any) -> Any:  # noqa: ANN401 - ASGI applications have no type that all agree on
    from channels.routing import ProtocolTypeRouter  # noqa: PLC0415 - for those alone who chose it

    from tracking import sockets  # noqa: PLC0415 - as above

    return ProtocolTypeRouter({"http": http, "websocket": sockets.application})


application = get_asgi_application()
if os.environ.get("SHOP_UPDATES") == "websocket":
    application = _with_sockets(application)
