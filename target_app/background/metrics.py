"""The work in the background, counted for Prometheus at each scrape (with `tasks=celery`).

What there is to tell stands in the table of task runs, where workers of any number and
place have written it; every server of one database tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily

from background.models import ENDED, State, TaskRun
from background.selectors import queue_length

_TASK = ("task",)


def exposition() -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Tasks())
    return generate_latest(registry)


class _Tasks:
    """Gives the families, from one query and one question to the broker."""

    def describe(self) -> list[Metric]:
        """Ask nothing before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family; known tasks and states are there from the start, as 0."""
        rows = {(row["task"], row["state"]): row for row in _rows()}
        yield _states(rows)
        yield _times("shop_task_queue_seconds", "From the request to the first attempt.", rows, "queued")
        yield _times("shop_task_run_seconds", "Time that the last attempt took, of done work.", rows, "run")
        yield _oldest(rows)
        length = queue_length()
        if length is not None:
            yield GaugeMetricFamily(
                "shop_task_queue_length", "Messages that wait at the broker.", value=length
            )


def _rows() -> Iterable[dict[str, Any]]:
    queued = F("started_at") - F("queued_at")
    rows: Any = (  # its type is too deep for the stubs
        TaskRun.objects.order_by()
        .values("task", "state")
        .annotate(
            count=Count("pk"),
            queued_count=Count("started_at"),
            queued_sum=Sum(queued),
            run_count=Count("run_us"),
            run_sum=Sum("run_us"),
            oldest=Min("queued_at"),
        )
    )
    found: Iterable[dict[str, Any]] = rows
    return found


def _states(rows: dict[tuple[str, str], dict[str, Any]]) -> Metric:
    family = GaugeMetricFamily("shop_tasks", "Pieces of work, by how far they are.", labels=("task", "state"))
    for task in settings.SHOP_TASKS:
        for state in State:
            family.add_metric((task, str(state)), rows.get((task, state), {}).get("count", 0))
    return family


def _times(name: str, told: str, rows: dict[tuple[str, str], dict[str, Any]], kind: str) -> Metric:
    family = SummaryMetricFamily(name, told, labels=_TASK)
    states = State if kind == "queued" else (State.DONE,)
    for task in settings.SHOP_TASKS:
        found = [rows[task, state] for state in states if (task, state) in rows]
        count = sum(row[f"{kind}_count"] for row in found)
        total = sum(_seconds(row[f"{kind}_sum"]) for row in found)
        family.add_metric((task,), count_value=count, sum_value=total)
    return family


def _oldest(rows: dict[tuple[str, str], dict[str, Any]]) -> Metric:
    family = GaugeMetricFamily("shop_task_oldest_seconds", "Age of the oldest work not ended.", labels=_TASK)
    now = timezone.now()
    for task in settings.SHOP_TASKS:
        open_ = [
            rows[task, state]["oldest"] for state in State if state not in ENDED and (task, state) in rows
        ]
        family.add_metric((task,), (now - min(open_)).total_seconds() if open_ else 0)
    return family


def _seconds(value: timedelta | int | None) -> float:
    """Return a sum of times in seconds: intervals from the database, or whole microseconds."""
    if value is None:
        return 0.0
    return value.total_seconds() if isinstance(value, timedelta) else value / 1e6
