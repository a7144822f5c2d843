"""How the shop is served, whom it waits for, and whom it tells."""

from typing import Any

from config.settings.application import TOGGLES
from config.settings.source import env
from config.settings.storage import CACHES

SHOP_CARRIER_URL = env.text("SHOP_CARRIER_URL", "").rstrip("/")
"""Empty: each process that is asked for a quote starts a carrier of its own, on loopback."""
SHOP_CARRIER_MS = env.number("SHOP_CARRIER_MS", 50)
"""How long a carrier of one's own takes to answer."""

if TOGGLES["updates"] == "websocket" and TOGGLES["server"] != "asgi":
    env.problems.append("SHOP_UPDATES='websocket' needs an event loop: set SHOP_SERVER=asgi, too")

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        # One PUBLISH a change; the other layer of channels-redis keeps lists that it must poll.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [CACHES["default"]["LOCATION"]], "prefix": "shop-news"},
    },
}
