"""The Universal Scalability Law: how throughput grows with the number of processes, and when it stops.

    X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))

Gunther (1993), "A Simple Capacity Model of Massively Parallel Transaction Systems";
(2007) "Guerrilla Capacity Planning", ch. 4. lambda is the throughput of one process,
sigma the share that cannot run in parallel (contention), kappa the cost of keeping
processes coherent, which makes throughput fall again beyond sqrt((1 - sigma) / kappa).

N / X is linear in a = (1 - sigma) / lambda, b = sigma / lambda and c = kappa / lambda, all
at least 0: a + b N + c N (N - 1). So the fit is a least squares with non-negative
coefficients (Lawson & Hanson 1974), weighted to *relative* errors. The uncertainty is that of a
parametric bootstrap whose noise level is drawn anew each time (s^2 df / chi^2(df)), so
that few measurements give wide intervals; normal theory fails at the bounds sigma,
kappa >= 0, where the fit often lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from loadstone.errors import MeasurementError
from loadstone.stats.special import FloatArray
from loadstone.stats.streams import Part, stream_seed

DRAWS = 400
PARAMETERS = 3
MOST_PROCESSES = 10_000
FEWEST_SIZES = 3
REWEIGHTED = 3
"""Times that the fit is weighted anew by what it predicted."""


@dataclass(frozen=True, slots=True, eq=False)
class Scalability:
    """A fit of the law, with draws of its parameters that stand for their uncertainty."""

    rate_one: float
    """lambda, in requests/s."""
    contention: float
    """sigma, in [0, 1]."""
    coherency: float
    """kappa >= 0."""
    residual_sd: float
    """Of log throughput."""
    draws: FloatArray
    """[draws, 3] of (lambda, sigma, kappa)."""

    @property
    def best(self) -> FloatArray:
        """The fitted (lambda, sigma, kappa)."""
        return np.array([self.rate_one, self.contention, self.coherency])

    def throughput(self, processes: FloatArray) -> FloatArray:
        """Return X in requests/s for numbers of processes [n]."""
        return _law(self.best, np.asarray(processes, dtype=np.float64))

    def throughput_interval(self, processes: float, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of X at one number of processes."""
        drawn = _law(self.draws.T, np.array(processes))
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @property
    def peak_processes(self) -> float:
        """Number of processes beyond which throughput falls; infinite where it never does."""
        return _peak(self.best)


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes a rate needs; None: it is never reached."""

    needed: int | None
    low: int | None
    high: int | None
    attainable: float
    """Share of the draws in which the rate can be reached at all."""
    extrapolated: bool
    """Whether it lies beyond what was measured."""


def fit_scalability(processes: FloatArray, throughput: FloatArray, *parts: Part) -> Scalability:
    """Fit the law to throughput [n] in requests/s at numbers of processes [n].

    Args:
        processes: at least three different numbers, and four measurements in all.
        throughput: saturated throughput of each measurement, above 0.
        parts: name the random stream of the bootstrap.

    Raises:
        MeasurementError: too few measurements, or impossible ones.
    """
    n, x = np.asarray(processes, dtype=np.float64), np.asarray(throughput, dtype=np.float64)
    if n.size != x.size or n.size <= PARAMETERS or np.unique(n).size < FEWEST_SIZES:
        raise MeasurementError(
            "scalability cannot be told from so few measurements",
            cause=f"{n.size} measurements at {np.unique(n).size} numbers of processes, three parameters",
            remedy="measure three or more numbers of processes, and one of them twice",
        )
    if (n < 1).any() or (x <= 0).any() or not np.isfinite(x).all():
        raise MeasurementError("scalability needs one or more processes and a throughput above 0")
    best = _fit(n, x)
    fitted = np.log(_law(best, n))
    df = n.size - PARAMETERS
    residual_sd = math.sqrt(float(((np.log(x) - fitted) ** 2).sum()) / df)
    rng = np.random.default_rng(stream_seed(*parts, "scalability"))
    scales = residual_sd * np.sqrt(df / rng.chisquare(df, DRAWS))
    noise = rng.standard_normal((DRAWS, n.size))
    draws = [_fit(n, np.exp(fitted + scale * row)) for scale, row in zip(scales, noise, strict=True)]
    rate, contention, coherency = (float(value) for value in best)
    return Scalability(rate, contention, coherency, residual_sd, np.array(draws))


def processes_for(fitted: Scalability, rps: float, measured: int, level: float = 0.95) -> Processes:
    """Return how many processes a rate of `rps` needs.

    Args:
        fitted: the law.
        rps: the wanted throughput, in requests/s.
        measured: most processes that were measured; beyond it the answer is extrapolated.
        level: of the interval [low, high].
    """
    needed = _needed(fitted.best, rps)
    drawn = np.array([_needed(draw, rps) or math.inf for draw in fitted.draws])
    low, high = (
        float(np.quantile(drawn, q, method="inverted_cdf")) for q in ((1 - level) / 2, (1 + level) / 2)
    )
    return Processes(
        needed,
        int(low) if math.isfinite(low) else None,
        int(high) if math.isfinite(high) else None,
        float(np.isfinite(drawn).mean()),
        needed is None or needed > measured,
    )


def _law(parameters: FloatArray, n: FloatArray) -> FloatArray:
    rate, contention, coherency = parameters
    throughput: FloatArray = rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1))
    return throughput


def _peak(parameters: FloatArray) -> float:
    _, contention, coherency = (float(value) for value in parameters)
    return math.sqrt((1 - contention) / coherency) if coherency > 0 else math.inf


def _needed(parameters: FloatArray, rps: float) -> int | None:
    """Return the smallest N with X(N) >= rps: the lower root of a quadratic, rounded up."""
    rate, sigma, kappa = (float(value) for value in parameters)
    # X(N) >= rps  <=>  kappa N^2 + (sigma - kappa - rate / rps) N + (1 - sigma) <= 0
    b, c = sigma - kappa - rate / rps, 1 - sigma
    square = b * b - 4 * kappa * c
    if square < 0 or b >= 0:
        return None
    root = 2 * c / (-b + math.sqrt(square))
    found = max(1, math.ceil(round(root, 6)))
    reached = float(_law(parameters, np.array(float(found)))) >= rps * (1 - 1e-6)
    return found if reached and found <= MOST_PROCESSES else None


def _fit(n: FloatArray, x: FloatArray) -> FloatArray:
    """Return (lambda, sigma, kappa) by non-negative least squares of relative errors."""
    design = np.column_stack([np.ones_like(n), n, n * (n - 1)])
    predicted = wanted = n / x
    for _ in range(REWEIGHTED):
        weight = 1 / predicted
        (a, b, c), _ = nnls(design * weight[:, None], wanted * weight)
        predicted = np.maximum(design @ [a, b, c], 1e-12 * wanted)
    return np.array([1 / (a + b), b / (a + b), c / (a + b)]) if a + b > 0 else np.array([0.0, 1.0, 0.0])
