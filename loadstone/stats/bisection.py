"""Finding the commit behind a change, with noisy measurements, in a bounded number of runs.

Each measurement compares a commit with the last good one and has a normal error of known
size. The change between good and bad is known first, E; a commit belongs to the bad side where
its effect is nearer to E than to 0. Measurements of one commit are averaged, by the inverse of
their variances, until the mean is so far from E / 2 that the wrong side is less likely than
alpha over the number of halvings: by a union bound the whole search errs at most that often.
A commit of the middle that lies in truth between both sides stays open; the search then ends with a range.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from loadstone.stats.special import normal_quantile

MOST_REPEATS = 8
"""Measurements of one commit, at most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An effect against the good commit, with its standard error (0: counted exactly)."""

    effect: float
    error: float


@dataclass(slots=True)
class Course:
    """What a search has found so far."""

    good: int
    """Index of the last commit known to be good."""
    bad: int
    """Index of the first commit known to be bad."""
    runs: int = 0
    settled: bool = False
    """Whether `bad` follows right after `good`."""
    told: list[tuple[int, float, float, str]] = field(default_factory=list)
    """Commit, mean effect, its standard error, and the side it was put on."""


def most_runs(commits: int, effect: float, error: float, alpha: float) -> int:
    """Return how many runs a search over `commits` needs at most, were all errors of this size.

    Args:
        commits: from the first after the good one to the bad one.
        effect: the whole change.
        error: standard error of one measurement.
        alpha: how often the search may err.
    """
    halvings = _halvings(commits)
    return halvings * _repeats(effect, error, _critical(halvings, alpha))


def bisect(commits: int, effect: float, measure: Callable[[int], Measured], *, alpha: float = 0.05) -> Course:
    """Return the course of a search for the commit that brought `effect`.

    Args:
        commits: number of commits after the good one; the last, of index `commits` - 1, is bad.
        effect: the change from good to bad, not 0.
        measure: compares the commit of an index with the good one; independent each time.
        alpha: how often the search may name a wrong commit.
    """
    course = Course(good=-1, bad=commits - 1)
    critical = _critical(_halvings(commits), alpha)
    while course.bad - course.good > 1:
        middle = (course.good + course.bad) // 2
        side = _side(middle, effect, measure, critical, course)
        if side is None:
            return course
        if side:
            course.bad = middle
        else:
            course.good = middle
    course.settled = True
    return course


def _side(
    index: int, effect: float, measure: Callable[[int], Measured], critical: float, course: Course
) -> bool | None:
    """Return whether a commit is on the bad side; None where it stays open."""
    weights = total = 0.0
    for _ in range(MOST_REPEATS):
        one = measure(index)
        course.runs += 1
        if one.error <= 0.0:
            mean, error = one.effect, 0.0
        else:
            weight = one.error**-2
            weights, total = weights + weight, total + weight * one.effect
            mean, error = total / weights, weights**-0.5
        beyond = (mean - effect / 2) * math.copysign(1.0, effect)
        if abs(beyond) > critical * error:
            course.told.append((index, mean, error, "bad" if beyond > 0 else "good"))
            return beyond > 0
        if error == 0.0:
            break
    course.told.append((index, mean, error, "open"))
    return None


def _halvings(commits: int) -> int:
    return max(1, math.ceil(math.log2(max(commits, 1)))) if commits > 1 else 1


def _critical(halvings: int, alpha: float) -> float:
    """Return the distance, in standard errors, that a wrong side exceeds with alpha / halvings / repeats.

    Looking after each measurement is paid for by the same union bound.
    """
    return float(normal_quantile(1.0 - alpha / (halvings * MOST_REPEATS)))


def _repeats(effect: float, error: float, critical: float) -> int:
    """Return after how many measurements a commit that lies fully on one side is told half the time."""
    needed = (critical * error / (abs(effect) / 2)) ** 2
    return min(MOST_REPEATS, max(1, math.ceil(needed)))
