"""A machine's noise floor, from the sealed generations of a comparison of a server with itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loadstone.errors import MeasurementError
from loadstone.stats.estimators import pooled_cap
from loadstone.stats.floor import StartSpread, pair_variance, start_spread
from loadstone.stats.inference import contrasts, fit
from loadstone.stats.special import FloatArray
from loadstone.verdict.assemble import Sealed
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import Measured, levels
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.pacing import LATENCY

FEWEST = 6
"""Generations below which nothing is said of starts."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What the mean latency's contrasts vary by, and what measuring them cost."""

    generations: int
    pairs: int
    request_s: float
    pair_sd: float
    start: StartSpread
    turnover_s: float
    pair_overhead_s: float
    pace_explained: float
    steal: float | None


def measure_floor(sealed: Sealed) -> Floor:
    """Return the floor; raises `MeasurementError` where the run was too short to tell it.

    Requests must all be of one endpoint: the pairs are compared without regard to it.
    """
    observations, lines = sealed.observations, sealed.generations
    if observations.count < FEWEST:
        raise MeasurementError(
            f"{observations.count} generations are too few to tell the noise between starts",
            remedy=f"measure longer: {FEWEST} are the least",
        )
    tables = [_capped(measured) for measured in observations.generations]
    pairs = np.array([table.shape[0] for table in tables])
    variances = np.array([pair_variance(table) for table in tables])
    d, s = contrasts(
        levels(observations, BY_NAME["latency_mean"], None), start_positions(sealed.plan, observations.count)
    )
    fitted = fit(d[:, 0], s[:, 0])
    if not fitted.available:
        raise MeasurementError(
            "a generation has no comparable pair", cause=lines[0].first_error, remedy="repeat the measurement"
        )
    steals = [line.steal for line in lines if line.steal is not None]
    turnovers = [line.turnover_s for line in lines if line.turnover_s is not None]
    return Floor(
        generations=observations.count,
        pairs=sum(line.pairs for line in lines),
        request_s=float(
            np.mean([measured.rows["service_us"].mean() for measured in observations.generations])
        )
        / 1e6,
        pair_sd=math.sqrt(float(variances.mean())),
        start=start_spread(fitted.residual_sd, fitted.df, float((variances / pairs).mean())),
        turnover_s=float(np.mean(turnovers)) if turnovers else math.nan,
        pair_overhead_s=float(np.mean([_overhead_s(measured) for measured in observations.generations])),
        pace_explained=observations.pace.explained.get(LATENCY, 0.0),
        steal=float(np.mean(steals)) if steals else None,
    )


def _capped(measured: Measured) -> FloatArray:
    """Return latencies [pairs, 2] as the mean latency is taken from them, in the order of sending."""
    chosen = measured.good & (measured.rows["gap"] == 0)
    rows, values = measured.rows[chosen], measured.latency_us[chosen]
    order = np.lexsort((rows["variant"], rows["pair"]))
    capped: FloatArray = np.minimum(values[order], pooled_cap([values])).reshape(-1, 2)
    return capped


def _overhead_s(measured: Measured) -> float:
    """Return what a pair took beside its requests: twice the time between two of them, gaps apart."""
    rows = np.sort(measured.rows, order="start_us")
    end_us = rows["start_us"] + rows["service_us"]
    between_us = (rows["start_us"][1:] - end_us[:-1])[rows["gap"][1:] == 0]
    return 2 * float(between_us.mean()) / 1e6
