"""Caching in Redis (toggles `cache`, `invalidation`): whole answers by address, or data beside the database.

`view` keeps the finished answer of an address for a while, whatever changes.
`aside` keeps data under a key of its own: one client computes it while others
wait, and a writer can drop it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import cache_page

from core import tally, toggles

View = Callable[..., HttpResponseBase]
_LOCK_S = 10
_WAIT_S = 0.01
_PATIENCE_S = 2.0


def cached_page(view: View) -> View:
    """Return `view`, which keeps its answers while the toggle says `view`."""
    keeping = cache_page(settings.SHOP_CACHE_SECONDS)(view)

    @wraps(view)
    def choose(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401 - as Django's
        if toggles.choice("cache") != "view":
            return view(request, *args, **kwargs)
        answer = keeping(request, *args, **kwargs)
        if request.method in {"GET", "HEAD"}:  # Django notes here whether the answer is yet to be kept
            tally.looked_up(hit=not getattr(request, "_cache_update_cache", True))
        return answer

    return choose


def remember(key: str, compute: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever `compute` returns
    """Return what `compute` returns, from Redis where the toggle says `aside`.

    Of clients that miss it at once, one computes it while the others wait. With
    `invalidation=versioned` a value is kept with the stamp that its key had before
    it was computed, and is good only while the key still has that stamp: a value
    that was computed from rows which changed meanwhile is never served.
    """
    if toggles.choice("cache") != "aside":
        return compute()
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        stamp, kept = _read(key)
        if kept is not None:
            tally.looked_up(hit=True)
            return kept[0]
        if cache.add(_lock_key(key), 1, _LOCK_S):
            return _fill_alone(key, compute)
        if time.monotonic() > deadline:
            return _fill(key, stamp, compute)
        time.sleep(_WAIT_S)


def forget(*keys: str) -> None:
    """Have values renewed once the transaction is committed, as the toggle `invalidation` says.

    `event` drops them: whoever read the old rows before may still keep an old value after.
    `versioned` gives their keys a new stamp. `ttl` leaves them until their period is over.
    """
    if toggles.choice("cache") != "aside":
        return
    invalidation = toggles.choice("invalidation")
    if invalidation == "event":
        transaction.on_commit(lambda: cache.delete_many(keys))
    elif invalidation == "versioned":
        # A stamp outlives every value that was kept before it.
        stamps = {_stamp_key(key): secrets.token_hex(8) for key in keys}
        transaction.on_commit(lambda: cache.set_many(stamps, 2 * settings.SHOP_CACHE_SECONDS))


def _read(key: str) -> tuple[str | None, tuple[Any] | None]:
    """Return the key's stamp, and the value that is good under it, in a tuple, or None."""
    if toggles.choice("invalidation") != "versioned":
        kept = cache.get(key)
        return None, None if kept is None else (kept[1],)
    found = cache.get_many([key, _stamp_key(key)])
    stamp, kept = found.get(_stamp_key(key)), found.get(key)
    return stamp, None if kept is None or kept[0] != stamp else (kept[1],)


def _fill_alone(key: str, compute: Callable[[], Any]) -> Any:  # noqa: ANN401 - as above
    """Fill a key whose lock we hold, unless another did between our look and our lock."""
    try:
        stamp, kept = _read(key)
        if kept is None:
            return _fill(key, stamp, compute)
        tally.looked_up(hit=True)
        return kept[0]
    finally:
        cache.delete(_lock_key(key))


def _fill(key: str, stamp: str | None, compute: Callable[[], Any]) -> Any:  # noqa: ANN401 - as above
    tally.looked_up(hit=False)
    value = compute()
    cache.set(key, (stamp, value), settings.SHOP_CACHE_SECONDS)
    return value


def _stamp_key(key: str) -> str:
    return f"{key}:stamp"


def _lock_key(key: str) -> str:
    return f"{key}:lock"
