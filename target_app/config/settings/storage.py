"""PostgreSQL and Redis."""

from typing import Any

from config.settings.source import env

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **env.postgres("DATABASE_URL"),
        # A connection for each thread, kept for the thread's life: connecting costs more than most queries.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
    },
}

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.redis("REDIS_URL"),
        "KEY_PREFIX": "shop",
    },
}

SHOP_CACHE_SECONDS = env.number("SHOP_CACHE_SECONDS", 300, least=1)
"""How long the `cache` toggle keeps an answer."""
