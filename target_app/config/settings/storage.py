"""The database and Redis."""

from typing import Any

from config.settings.application import TOGGLES
from config.settings.source import env

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.database("DATABASE_URL"),
        # Persistent: one for each thread, for the thread's life. Below ASGI a thread lives as long as
        # its request, and a connection that it left open would be nobody's.
        "CONN_MAX_AGE": None
        if TOGGLES["db_connections"] == "persistent" and TOGGLES["server"] != "asgi"
        else 0,
        "CONN_HEALTH_CHECKS": False,
    },
}

# The pooler that this server started listens here. What it lends changes hands after every transaction:
# a cursor that outlives one would be lost.
_POOLER = env.text("SHOP_POOLER_FOLDER", "")
SHOP_POOL_SIZE = env.number("SHOP_POOL_SIZE", 4, least=1)
SHOP_DATABASE = dict(DATABASES["default"])
"""Where PostgreSQL itself is."""
if TOGGLES["db_connections"] == "pgbouncer" and _POOLER:
    DATABASES["default"] |= {"HOST": _POOLER, "PORT": "6432", "DISABLE_SERVER_SIDE_CURSORS": True}

_REDIS_URL = env.redis("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _REDIS_URL,
        "KEY_PREFIX": "shop",
    },
    "fragments": {
        "BACKEND": "core.kept.NotedRedisCache",
        "LOCATION": _REDIS_URL,
        "KEY_PREFIX": "shop:fragment",
    },
    "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

SHOP_CACHE_SECONDS = env.number("SHOP_CACHE_SECONDS", 300, least=1)
"""How long the `cache` toggle keeps an answer."""
