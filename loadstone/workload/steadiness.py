"""When is a server warm? When its answers have stopped getting faster."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

BLOCK = 10
"""Pairs whose median is compared with that of as many before."""
STILL_FALLING = 0.97


def is_steady(service_s: Sequence[float], sides: int) -> bool:
    """Tell whether the latest pairs were no longer faster than those before.

    Args:
        service_s: service times in the order of sending, `sides` of them a pair.
        sides: variants.
    """
    need = BLOCK * sides
    if len(service_s) < 2 * need:
        return False
    earlier, latest = service_s[-2 * need : -need], service_s[-need:]
    return statistics.median(latest) >= STILL_FALLING * statistics.median(earlier)
