"""Limiting how fast one client may ask (toggle `throttle`)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from core import toggles

if TYPE_CHECKING:  # that module reads the name of this one while it is being imported
    from rest_framework.views import APIView

MICROSECONDS = 1_000_000
SCRIPT = """
-- Generic cell rate algorithm: one number a client, the instant at which its
-- allowance would be full again. Redis runs a script alone, so that requests at
-- the same moment are counted one after another.
redis.replicate_commands()  -- TIME differs on a replica; send it the effects
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, allowance = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
if full - now > allowance then
  return full - now - allowance
end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
"""


class CacheThrottle(SimpleRateThrottle):
    """REST framework's own: reads a client's history from the cache, adds to it, writes it back."""

    scope = "client"
    num_requests: int
    duration: int
    """Seconds."""

    def get_rate(self) -> str:
        """Return the rate of the settings in force, not of those at import."""
        return str(settings.SHOP_THROTTLE_RATE)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the key of the client's history."""
        del view
        return f"throttle:{self.get_ident(request)}"


class AtomicThrottle(CacheThrottle):
    """The same limit, counted by a script in Redis: one round trip, and no gap to slip through."""

    wait_s = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request and tell whether it may pass."""
        interval_us = self.duration * MICROSECONDS / self.num_requests
        key = f"shop:atomic-{self.get_cache_key(request, view)}"
        wait_us = _script()(keys=[key], args=[interval_us, self.duration * MICROSECONDS])
        self.wait_s = int(wait_us) / MICROSECONDS
        return not wait_us

    def wait(self) -> float:
        """Return how many seconds to wait before asking again."""
        return self.wait_s


class ToggledThrottle(BaseThrottle):
    """The throttle that the toggle chooses."""

    chosen: BaseThrottle | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Tell whether the request may pass."""
        kind = THROTTLES[toggles.choice("throttle")]
        if kind is None:
            return True
        self.chosen = kind()
        return self.chosen.allow_request(request, view)

    def wait(self) -> float | None:
        """Return how many seconds to wait before asking again."""
        return self.chosen.wait() if self.chosen else None


@cache
def _script() -> redis.commands.core.Script:
    """Return the script on a client of this process; its pool makes connections as threads need them."""
    return redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]).register_script(SCRIPT)


THROTTLES: dict[str, type[BaseThrottle] | None] = {"off": None, "drf": CacheThrottle, "redis": AtomicThrottle}
