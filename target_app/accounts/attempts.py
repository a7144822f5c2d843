"""Failed logins are counted: who guesses passwords must wait.

By name and address, so that nobody locks out others by their names, and by address
alone, for those who try many names. Of guesses at the same moment, as many as the
server has threads may pass beyond the limit.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import Throttled

WINDOW_S = 60
NAMES_PER_ADDRESS = 10
"""How many times the limit of one name an address may fail at all."""


class TooManyFailures(Throttled):
    """The login is not even tried."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS
    default_detail = "Too many failed logins."

    def __init__(self, wait: float) -> None:
        super().__init__(wait=wait)
        self.wait_s = math.ceil(wait)


def check(name: str, address: str) -> None:
    """Raise `TooManyFailures`, with the seconds to wait, where too many failed this minute."""
    limits = dict(_keys(name, address))
    failures = cache.get_many(limits)
    if any(failures.get(key, 0) >= limit for key, limit in limits.items()):
        raise TooManyFailures(wait=WINDOW_S - time.time() % WINDOW_S)


def count_failure(name: str, address: str) -> None:
    """Count a login that failed."""
    for key, _ in _keys(name, address):
        cache.add(key, 0, WINDOW_S)
        cache.incr(key)


def _keys(name: str, address: str) -> Iterator[tuple[str, int]]:
    """Yield what is counted in this minute, and how much of it is let pass."""
    window = int(time.time() // WINDOW_S)
    limit: int = settings.SHOP_LOGIN_FAILURES
    for counted, most in ((f"{address} {name}", limit), (address, limit * NAMES_PER_ADDRESS)):
        word = hashlib.sha256(counted.encode()).hexdigest()
        yield f"login-failures:{window}:{word}", most
