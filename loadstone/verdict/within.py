"""How much d_g must vary even if all starts were alike: a floor under the residual SD.

The residual SD of few generations can fall far below the truth by luck, and then
a chance estimate looks certain. But each generation's own pairs tell how much its
contrast varies at the least. A residual SD below that is not believed, so that
alarms can only become fewer.
"""

from __future__ import annotations

import numpy as np

from loadstone.stats.estimators import pooled_cap
from loadstone.stats.floor import BLOCKS, pair_variance
from loadstone.stats.special import FloatArray
from loadstone.verdict.levels import Measured, Observations
from loadstone.verdict.metrics import Metric


def within_variances(
    observations: Observations, metric: Metric, endpoint: int | None, other: int
) -> FloatArray:
    """Return the variance of d_g within generations [G], 0 where it cannot be told.

    Args:
        observations: the run's generations.
        metric: means of latency and CPU have one; of others nothing is known.
        endpoint: index into `observations.endpoints`, or None for all together.
        other: variant index, compared with variant 0.
    """
    found = np.zeros(observations.count)
    for index, measured in enumerate(observations.generations):
        values = _values(measured, metric)
        if values is not None:
            table = _pairs(measured, values, endpoint, observations.variants)[:, [0, other]]
            if table.shape[0] >= 2 * BLOCKS and (table > 0).all():
                found[index] = pair_variance(table) / table.shape[0]
    return found


def _values(measured: Measured, metric: Metric) -> FloatArray | None:
    if metric.name == "latency_mean":
        return measured.latency_us
    return measured.cpu_us if metric.name == "cpu" else None


def _pairs(measured: Measured, values: FloatArray, endpoint: int | None, variants: int) -> FloatArray:
    """Return values [pairs, variants] as the mean is taken from them, in the order of sending."""
    chosen = measured.good & (measured.rows["gap"] == 0)
    if endpoint is not None:
        chosen = chosen & (measured.rows["step"] == endpoint)
    rows, kept = measured.rows[chosen], values[chosen].copy()
    for step in np.unique(rows["step"]):
        own = rows["step"] == step
        kept[own] = np.minimum(kept[own], pooled_cap([kept[own]]))
    order = np.lexsort((rows["variant"], rows["pair"]))
    table: FloatArray = kept[order].reshape(-1, variants)
    return table
