"""How far two counts of samples may differ by chance."""

from __future__ import annotations

import math

BEYOND = 3.0
"""Standard errors: of many functions, about one in 370 that cost the same is told as changed."""


def beyond_chance(before: int, after: int, weight_before: float, weight_after: float) -> bool:
    """Tell whether two costs differ by more than sampling does.

    A count of rare, independent hits varies as a Poisson variable: its variance is its
    mean. A count of zero is taken as one, so that a single hit elsewhere is no change.

    Args:
        before: samples of the one side.
        after: samples of the other.
        weight_before: what a sample stands for, in the unit of the cost.
        weight_after: the same of the other side.
    """
    difference = after * weight_after - before * weight_before
    variance = max(before, 1) * weight_before**2 + max(after, 1) * weight_after**2
    return abs(difference) > BEYOND * math.sqrt(variance)
