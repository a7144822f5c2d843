"""Simulated hosts: what a pair of variants looks like on a machine that misbehaves in one known way.

Each scenario returns d [experiments, generations], the per-generation log ratio
(after against before) without any effect of the variants, and takes the start
contrasts s of the same shape. SDs are those measured with Django and PostgreSQL
on a shared 2-core machine; see the design's rules of measurement.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Scenario = Callable[[np.random.Generator, FloatArray], FloatArray]

RESIDUAL_SD = 0.0038
"""Of the capped mean's log ratio over one generation of 15 s."""
START_EFFECT = 0.0075
"""Half of 1.5%: the variant started first is slower (s = +1 where *after* was first)."""
PAIRS = 100
"""Pairs of one simulated generation, where requests are simulated one by one."""
REQUEST_SD = 0.02
"""Of one simulated request, which stands for some 150 real ones, so that d varies as it does in life."""
SWITCH_RATE = 0.005
STALL_RATE = 0.02
START_SD = 0.003


def gaussian(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Independent normal noise and a constant start effect: the model itself."""
    return START_EFFECT * s + RESIDUAL_SD * rng.standard_normal(s.shape)


def ar1(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Request by request: the host's speed wanders as AR(1) (rho = 0.998, SD 20%) through all generations."""
    rho, sd = 0.998, 0.2
    host: FloatArray = np.asarray(sd * rng.standard_normal(s.shape[0]), dtype=np.float64)

    def step() -> FloatArray:
        nonlocal host
        host = np.asarray(rho * host + sd * np.sqrt(1.0 - rho**2) * rng.standard_normal(host.shape))
        return host

    return _paired_requests(rng, s, step)


def two_speed(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Request by request: the host switches between two speeds, 1 and 1.5, once in 200 requests."""
    slow = rng.integers(0, 2, s.shape[0]) == 1

    def step() -> FloatArray:
        nonlocal slow
        slow = slow ^ (rng.random(slow.shape) < SWITCH_RATE)
        return np.asarray(np.log(1.5) * slow, dtype=np.float64)

    return _paired_requests(rng, s, step)


def heavy_tails(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Lognormal requests with Pareto stalls (2%), means capped at the pooled p99; starts vary as t(3)."""
    d = np.empty_like(s)
    for g in range(s.shape[1]):
        latency = np.exp(REQUEST_SD * rng.standard_normal((s.shape[0], 2, PAIRS)))
        stalled = rng.random(latency.shape) < STALL_RATE
        latency[stalled] *= 1.0 + 0.1 * rng.pareto(1.2, size=int(stalled.sum()))
        flat = latency.reshape(s.shape[0], -1)
        rank = int(0.99 * flat.shape[1])
        cap = np.partition(flat, rank, axis=1)[:, rank]
        means = np.minimum(latency, cap[:, None, None]).mean(axis=2)
        d[:, g] = np.log(means[:, 1] / means[:, 0])
    starts = START_SD * rng.standard_t(3, s.shape)
    return d + START_EFFECT * s + starts


def start_drift(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """The start effect fades to a third over the run and wanders besides."""
    fade = np.linspace(1.5, 0.5, s.shape[1])
    wander = 0.002 * np.cumsum(rng.standard_normal(s.shape), axis=1) / np.sqrt(s.shape[1])
    noise: FloatArray = RESIDUAL_SD * rng.standard_normal(s.shape)
    drift: FloatArray = s * (START_EFFECT * fade + wander)
    return drift + noise


def unequal_variances(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """*After* varies three times as much as *before*, and both grow noisier threefold during the run."""
    before, after = rng.standard_normal(s.shape), 3.0 * rng.standard_normal(s.shape)
    growth = np.linspace(0.5, 1.5, s.shape[1]) / np.sqrt(10.0)
    noise: FloatArray = RESIDUAL_SD * growth * (after - before)
    return START_EFFECT * s + noise


def outlier(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """One generation, anywhere, is off by ten SDs to either side."""
    d = gaussian(rng, s)
    side = 2.0 * rng.integers(0, 2, s.shape[0]) - 1.0
    d[np.arange(s.shape[0]), rng.integers(0, s.shape[1], s.shape[0])] += side * 10.0 * RESIDUAL_SD
    return d


def variance_by_order(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Stress beyond the model: three times the SD where *after* was started first.

    It cannot happen between identical variants, whose d_g s_g does not depend on the order.
    """
    return START_EFFECT * s + RESIDUAL_SD * np.where(s > 0, 1.5, 0.5) * rng.standard_normal(s.shape)


def dependent_generations(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Stress beyond the model: the ratio itself carries over between fresh starts, AR(1) with rho = 0.2."""
    noise = rng.standard_normal(s.shape)
    for g in range(1, s.shape[1]):
        noise[:, g] = 0.2 * noise[:, g - 1] + np.sqrt(1.0 - 0.2**2) * noise[:, g]
    return START_EFFECT * s + RESIDUAL_SD * noise


def _paired_requests(rng: np.random.Generator, s: FloatArray, step: Callable[[], FloatArray]) -> FloatArray:
    """Send pairs back to back in random order on a host whose log slowness is `step()` at each request."""
    d = np.empty_like(s)
    rows = np.arange(s.shape[0])
    for g in range(s.shape[1]):
        total = np.zeros((s.shape[0], 2))
        for _ in range(PAIRS):
            first = rng.integers(0, 2, s.shape[0])
            for side in (first, 1 - first):
                total[rows, side] += np.exp(step() + REQUEST_SD * rng.standard_normal(s.shape[0]))
        d[:, g] = np.log(total[:, 1] / total[:, 0])
    return d + START_EFFECT * s + START_SD * rng.standard_normal(s.shape)


SCENARIOS: dict[str, Scenario] = {
    "gaussian": gaussian,
    "ar1": ar1,
    "two-speed": two_speed,
    "heavy-tails": heavy_tails,
    "start-drift": start_drift,
    "unequal-variances": unequal_variances,
    "outlier": outlier,
    "variance-by-order": variance_by_order,
    "dependent-generations": dependent_generations,
}
STRESS = frozenset({"variance-by-order", "dependent-generations"})
"""Scenarios that break the model's assumptions: reported, and held to nothing."""
SPANNING = frozenset({"start-drift", "unequal-variances", "outlier"})
"""Scenarios that unfold over the whole run: a longer one does not begin with a shorter one."""
