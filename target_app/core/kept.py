"""A cache in Redis whose look-ups are noted."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache

from core import tally


class NotedRedisCache(RedisCache):
    """Redis, with each hit and each miss noted for who counts them."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401 - as Django's
        """Return what is kept under `key`, else `default`."""
        found = super().get(key, default, version)
        tally.looked_up(hit=found is not default)
        return found
