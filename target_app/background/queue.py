"""Celery: the queue between those who ask for work and those who do it.

    python -m celery --app background.queue worker

Imported only where the toggle `tasks` says `celery`.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

if TYPE_CHECKING:  # a worker imports this module before its models can be imported
    from background.models import TaskRun

log = logging.getLogger(__name__)
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")


def send(run: TaskRun) -> None:
    """Put a message into the queue; what cannot be sent stays in the table, for `resend_tasks`."""
    try:
        app.send_task(f"shop.{run.task}", (str(run.pk),), task_id=str(run.pk))
    except OperationalError as error:
        log.warning("%s %s could not be queued: %s", run.task, run.subject, error)


def queue_length() -> int | None:
    """Return how many messages wait at the broker; None where it does not answer."""
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
            declared = connection.default_channel.queue_declare(
                settings.CELERY_TASK_DEFAULT_QUEUE, passive=True
            )
            return int(declared.message_count)
    except ChannelError:  # nothing was ever put into it, or all was taken
        return 0
    except (OperationalError, OSError):
        return None


def backoff_s(attempt: int) -> float:
    """Return the wait after a failed attempt: doubled each time, at most five minutes, and no two alike."""
    longest: float = min(300.0, settings.SHOP_TASK_BACKOFF_MS / 1000 * 2 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - not secret


def _perform(task: Any, key: str) -> None:  # noqa: ANN401 - Celery has no types
    """Do one attempt in a worker, and have it sent again where it failed."""
    from django.db import close_old_connections  # noqa: PLC0415 - needs no models, but a worker that is set up

    from background.services import Outcome, perform  # noqa: PLC0415 - as above

    close_old_connections()
    if perform(UUID(key)) is Outcome.TRY_AGAIN:
        raise task.retry(countdown=backoff_s(task.request.retries + 1))


for _name in settings.SHOP_TASKS:
    app.task(_perform, name=f"shop.{_name}", bind=True, max_retries=None)  # the table of runs counts them


def _tell_ready(**_: object) -> None:
    log.warning("the worker takes tasks")  # what starts it may wait for this line


worker_ready.connect(_tell_ready)
