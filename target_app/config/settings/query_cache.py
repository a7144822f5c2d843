"""Answers of queries kept in Redis by cacheops, where the toggle `cache` says `query`.

The library reaches into every query set once it is installed: it is there for that choice alone.
"""

from typing import Any

from config.settings.application import TOGGLES
from config.settings.storage import CACHES, SHOP_CACHE_SECONDS

CACHEOPS_ENABLED = TOGGLES["cache"] == "query"
CACHEOPS_REDIS: str = CACHES["default"]["LOCATION"]
CACHEOPS: dict[str, dict[str, Any]] = {
    "catalogue.*": {"ops": "all", "timeout": SHOP_CACHE_SECONDS},
    # What sold; the lines of single orders come with it.
    "orders.orderline": {"ops": "fetch", "timeout": SHOP_CACHE_SECONDS},
}
