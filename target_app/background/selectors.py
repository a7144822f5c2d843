"""Queries for what staff see of the work in the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from background.models import State, TaskRun
from core import toggles

LATEST = 1_000
"""Runs of each task that times are told of."""
MOST_DEAD = 100


@dataclass(frozen=True, slots=True)
class Spread:
    """A time over several runs, in microseconds."""

    mean_us: float
    p50_us: int
    p95_us: int
    max_us: int


def status() -> dict[str, Any]:
    """Return what waits, runs, failed and was given up, and how long the latest runs of each task took."""
    counts = dict(TaskRun.objects.values_list("state").annotate(Count("pk")).order_by())
    return {
        "at": timezone.now(),
        "tasks": toggles.choice("tasks"),
        "broker": toggles.choice("broker"),
        "queue_length": queue_length(),
        "states": {str(state): counts.get(state, 0) for state in State},
        "times": {task: times(task) for task in settings.SHOP_TASKS},
        "dead_letters": [letter(run) for run in dead()[:MOST_DEAD]],
    }


def queue_length() -> int | None:
    """Return how many messages wait at the broker: none without one, None where it does not answer."""
    if toggles.choice("tasks") == "inline":
        return 0
    from background.queue import queue_length as at_broker  # noqa: PLC0415 - only where there is one

    return at_broker()


def times(task: str) -> dict[str, Any]:
    """Return queue, run and end-to-end times of the latest runs that were done."""
    runs = list(TaskRun.objects.filter(task=task, state=State.DONE).order_by("-finished_at")[:LATEST])
    return {
        "count": len(runs),
        "queue": spread([run.queue_us for run in runs if run.queue_us is not None]),
        "run": spread([run.run_us for run in runs if run.run_us is not None]),
        "end_to_end": spread([run.end_to_end_us for run in runs if run.end_to_end_us is not None]),
    }


def spread(values_us: Sequence[int]) -> dict[str, float | int] | None:
    """Return mean, median, 95th percentile (nearest rank) and maximum; None without values."""
    if not values_us:
        return None
    ranked = sorted(values_us)

    def at(share: float) -> int:
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

    return asdict(Spread(sum(ranked) / len(ranked), at(0.5), at(0.95), ranked[-1]))


def dead() -> QuerySet[TaskRun]:
    """Return what was given up, the latest first."""
    return TaskRun.objects.filter(state=State.DEAD).order_by("-finished_at")


def letter(run: TaskRun) -> dict[str, Any]:
    """Return what staff need to know of a piece of work that was given up."""
    return {
        "id": str(run.pk),
        "task": run.task,
        "subject": run.subject,
        "attempts": run.attempts,
        "queued_at": run.queued_at,
        "finished_at": run.finished_at,
        "error": run.error,
    }
