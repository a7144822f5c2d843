"""Exact group-sequential boundaries for the t statistic, by numerical integration.

Textbook boundaries are made for z statistics; on t statistics with few degrees
of freedom they give too many false alarms. Here each boundary is solved from the
joint null distribution of t at all looks, so that the false-alarm rate is the
planned one for normal e_g, at any number of looks and any alpha.

Derivation. With balanced start orders let S = sum d_g and R^2 = RSS + S^2/n at a
look with n generations: under theta = 0, R^2 / sigma^2 is chi-squared with n - 1
degrees of freedom. Put sin(a) = S / (sqrt(n) R), so that t = sqrt(n - 2) tan(a).
By Basu's theorem the angles at the looks so far are independent of R, and m
further generations add independent normals; so the angles are a Markov chain.
Run backwards it is explicit: given the angle a at n, the direction of the
remaining n - 2 dimensions is uniform, of which one (eta) trades S between the
old and the new generations, m - 1 (their share of the rest is b) are new, and
n_old - 2 make up the old residual:

    S_old / sqrt(n_old) = R (sqrt(n_old/n) sin a + sqrt(m/n) cos a * eta)
    RSS_old             = R^2 cos^2 a (1 - eta^2) (1 - b)

`stay` is the probability, given the angle at a look, that no earlier look crossed.
A boundary at p-value x then spends the integral of stay over p in [0, x].
The method is the recursion of Armitage, McPherson & Rowe (1969) carried from
z to t; compare Jennison & Turnbull (1991), Biometrika 78, 133-141.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from loadstone.stats.special import FloatArray, log_beta, t_critical

_ANGLES = np.linspace(0.0, math.pi / 2.0, 513)
_NODES, _WEIGHTS = (part.astype(np.float64) for part in np.polynomial.legendre.leggauss(32))
_SOLVE_STEPS = 60
SMALLEST_P = 1e-12
"""No boundary lies below: what an earlier spending leaves unspent is far more."""
Stay = Callable[[FloatArray], FloatArray]
"""From angles in [0, pi/2] to the probability that no earlier look crossed."""


def solve(looks: tuple[int, ...], spent: tuple[float, ...]) -> tuple[float, ...]:
    """Return for each look the p-value of t(G - 2) at or below which it stops.

    Args:
        looks: generations at each look, increasing by 2 or more, the first >= 4.
        spent: false-alarm probability spent up to and including each look, increasing.
    """
    return extend(looks, spent, ())


def extend(looks: tuple[int, ...], spent: tuple[float, ...], known: tuple[float, ...]) -> tuple[float, ...]:
    """Return boundaries as `solve` does, the first of them fixed to `known`."""
    nominal = [known[0] if known else max(spent[0], SMALLEST_P)]
    stay: Stay = np.ones_like
    used = nominal[0]
    for i in range(1, len(looks)):
        stay = _next_stay(stay, looks[i - 1], looks[i], _angle(nominal[i - 1], looks[i - 1]))
        p = known[i] if i < len(known) else _invert(stay, looks[i], spent[i] - used)
        nominal.append(p)
        used += _crossing(stay, looks[i], p)
    return tuple(nominal)


def crossing_probability(looks: tuple[int, ...], nominal_p: tuple[float, ...]) -> float:
    """Return the probability, under no effect, that any look crosses its boundary."""
    stay: Stay = np.ones_like
    total = nominal_p[0]
    for i in range(1, len(looks)):
        stay = _next_stay(stay, looks[i - 1], looks[i], _angle(nominal_p[i - 1], looks[i - 1]))
        total += _crossing(stay, looks[i], nominal_p[i])
    return total


def _angle(p: float, count: int) -> float:
    """Return the angle at which the two-sided p-value of t(count - 2) is `p`."""
    return math.atan(float(t_critical(p, count - 2)) / math.sqrt(count - 2))


def _crossing(stay: Stay, count: int, p: float) -> float:
    """Integrate `stay` over p-values in [0, p]; squared nodes, as it vanishes at 0."""
    root = (_NODES + 1.0) / 2.0
    critical = t_critical(p * root**2, count - 2)
    angles = np.arctan(critical / math.sqrt(count - 2))
    return float(p * (_WEIGHTS * root) @ stay(angles))


def _invert(stay: Stay, count: int, spend: float) -> float:
    """Return the p-value at which `_crossing` is `spend`, from below; at least `SMALLEST_P`."""
    low, high = SMALLEST_P, 1.0
    for _ in range(_SOLVE_STEPS):
        middle = math.sqrt(low * high)
        if _crossing(stay, count, middle) <= spend:
            low = middle
        else:
            high = middle
    return low


def _next_stay(stay: Stay, old: int, new: int, boundary: float) -> Stay:
    """Return `stay` at the look with `new` generations from that at `old` with its boundary angle."""
    a, b = math.sqrt(old / new), math.sqrt((new - old) / new)
    kappa = math.tan(math.pi / 2.0 - boundary) ** 2
    sine, cosine = np.sin(_ANGLES), np.cos(_ANGLES)
    lead = kappa * b * b + 1.0
    # eta for which the old look can have stayed inside: between the roots of a quadratic
    inside = np.maximum(lead * cosine**2 - kappa * (a * sine) ** 2, 0.0)
    scale = np.maximum(lead * cosine, 1e-300)
    middle = -kappa * a * b * sine / scale
    half = np.sqrt(inside) / scale
    turn = _NODES * math.pi / 2.0
    eta = np.clip(middle[:, None] + half[:, None] * np.sin(turn), -1.0, 1.0)
    eta_weight = _WEIGHTS * math.pi / 2.0 * np.cos(turn) * half[:, None]
    eta_weight = eta_weight * _eta_density(eta, new)
    values = _share_integral(
        stay, a * sine[:, None] + b * cosine[:, None] * eta, cosine, eta, kappa, old, new
    )
    table = np.clip((eta_weight * values).sum(axis=1), 0.0, 1.0)
    return lambda angles: np.interp(angles, _ANGLES, table)


def _eta_density(eta: FloatArray, new: int) -> FloatArray:
    """One coordinate of a uniform direction in new - 2 dimensions."""
    power = (new - 5) / 2.0
    density: FloatArray = (1.0 - eta**2) ** power * math.exp(-log_beta(0.5, (new - 3) / 2.0))
    return density


def _share_integral(
    stay: Stay, score: FloatArray, cosine: FloatArray, eta: FloatArray, kappa: float, old: int, new: int
) -> FloatArray:
    """Integrate `stay` over the new generations' share b = x^2 of the rest; x runs to the old boundary."""
    rest = (cosine[:, None] ** 2) * (1.0 - eta**2)
    limit = 1.0 - kappa * score**2 / np.maximum(rest, 1e-300)
    top = np.sqrt(np.clip(limit, 0.0, 1.0))
    x = top[..., None] * (_NODES + 1.0) / 2.0
    step = new - old
    log_scale = math.log(2.0) - log_beta((step - 1) / 2.0, (old - 2) / 2.0)
    density = x ** (step - 2) * (1.0 - x**2) ** ((old - 4) / 2.0) * math.exp(log_scale)
    angle = np.arctan2(np.abs(score)[..., None], np.sqrt(rest[..., None] * (1.0 - x**2)))
    weighted: FloatArray = stay(angle) * density * _WEIGHTS
    total: FloatArray = weighted.sum(axis=-1) * top / 2.0
    return total
