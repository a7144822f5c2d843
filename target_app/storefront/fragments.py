"""Parts of pages, kept as they were rendered (toggle `fragment`).

The navigation and the best sellers are kept for a period. A category's grid is kept
under the stamp that the category had before its rows were read: whoever changes a
product stamps its categories anew once that is committed, so that a grid of rows
that changed meanwhile is never shown again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.conf import settings
from django.core.cache import caches
from django.db import transaction

from catalogue import selectors
from core import toggles

BACKENDS = {"off": "nothing", "on": "fragments"}
"""Names of caches: one keeps nothing."""


def backend() -> str:
    """Return the name of the cache that keeps fragments."""
    return BACKENDS[toggles.choice("fragment")]


def stamp(category: str) -> str:
    """Return what the grids of a category are kept under at this moment."""
    if toggles.choice("fragment") == "off":
        return ""
    return str(caches["default"].get(_key(category), ""))


def renew_grids(products: Iterable[int], **_: object) -> None:
    """Stamp the categories of products anew, once their change is committed.

    A receiver of `products_changed`.
    """
    if toggles.choice("fragment") == "off":
        return
    stamps = {_key(slug): secrets.token_hex(8) for slug in selectors.categories_above(products)}
    # A stamp outlives every grid that was kept before it.
    period = 2 * settings.SHOP_CACHE_SECONDS
    transaction.on_commit(lambda: caches["default"].set_many(stamps, period))


def _key(category: str) -> str:
    return f"grid:{category}:stamp"
