"""What was to be done, how far it has come, and how long it took."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


class State(models.TextChoices):
    """How far a piece of work has come."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    DONE = "done"
    DEAD = "dead"


ENDED = (State.DONE, State.DEAD)


class TaskRun(models.Model):
    """One piece of work about one row, from the transaction that asked for it to its end.

    It is written with the rows that it is about: no order is kept without it, and a
    message that the broker lost is sent again from here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=40)
    """One of `settings.SHOP_TASKS`."""
    subject = models.BigIntegerField()
    """Key of the row that it is about."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    """Of the first attempt."""
    finished_at = models.DateTimeField(null=True)
    run_us = models.PositiveBigIntegerField(null=True)
    """Microseconds that the last attempt took."""
    error = models.TextField(blank=True, default="")
    """Of the last attempt that failed."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=["task", "subject"], name="task_run_once"),)
        indexes = (models.Index(fields=["state", "queued_at"], name="task_run_state"),)

    def __str__(self) -> str:
        return f"{self.task} {self.subject}: {self.state}"

    @property
    def queue_us(self) -> int | None:
        """Microseconds from the request to the first attempt."""
        return _between(self.queued_at, self.started_at)

    @property
    def end_to_end_us(self) -> int | None:
        """Microseconds from the request to the end, all attempts and waits included."""
        return _between(self.queued_at, self.finished_at)


def _between(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else (end - start) // timedelta(microseconds=1)
