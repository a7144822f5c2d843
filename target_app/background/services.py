"""Asking for work, and doing it: once, whoever tries how often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from background.models import ENDED, State, TaskRun
from core import toggles

log = logging.getLogger(__name__)
LONGEST_ERROR = 2_000


class Outcome(Enum):
    """What came of an attempt."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"
    """Another attempt has done it, or it has been given up."""
    TRY_AGAIN = "try again"
    DEAD = "dead"


def later(task: str, subject: int) -> None:
    """Have a task of `settings.SHOP_TASKS` done for a row, once the transaction is committed.

    Asked for twice, it is done once. Its failure is not the caller's: it is kept for staff to see.
    """
    run = TaskRun(task=task, subject=subject)
    if toggles.choice("tasks") == "inline":
        transaction.on_commit(lambda: perform_here(run))
        return
    TaskRun.objects.bulk_create([run], ignore_conflicts=True)  # with the caller's rows, or not at all
    transaction.on_commit(lambda: _send(run))


def perform_here(run: TaskRun) -> None:
    """Do it at once, and keep the same row that a worker would leave."""
    run.started_at, run.attempts = run.queued_at, 1
    started_ns = time.perf_counter_ns()
    try:
        with transaction.atomic():
            _work(run.task)(run.subject)
            _keep(run, State.DONE, started_ns)
    except Exception as error:  # whatever it is, the order stands
        log.exception("%s %s failed", run.task, run.subject)
        run.error = _told(error)
        _keep(run, State.DEAD, started_ns)


def perform(key: UUID) -> Outcome:
    """Make one attempt, as a worker does.

    The work and its row in the table become true in one transaction, under a lock of
    that row: an attempt that is killed leaves nothing, and of two at once one finds
    nothing to do.
    """
    if not _begin(key):
        return Outcome.NOTHING_TO_DO
    started_ns = time.perf_counter_ns()
    try:
        with transaction.atomic():
            run = TaskRun.objects.select_for_update().get(pk=key)
            if run.state in ENDED:
                return Outcome.NOTHING_TO_DO
            _work(run.task)(run.subject)
            run.state = State.DONE
            _end(run, started_ns)
            run.save(update_fields=["state", "finished_at", "run_us"])
    except Exception as error:  # whatever it is, it is tried again, and kept in the end
        log.warning("task %s failed", key, exc_info=True)
        return _fail(key, error, started_ns)
    return Outcome.DONE


def resend(runs: list[TaskRun]) -> int:
    """Send the messages of open work again, and dead work with all attempts before it; return how many."""
    for run in runs:
        TaskRun.objects.filter(pk=run.pk, state=State.DEAD).update(
            state=State.QUEUED, attempts=0, finished_at=None
        )
        if toggles.choice("tasks") == "inline":
            perform(run.pk)
        else:
            _send(run)
    return len(runs)


def _begin(key: UUID) -> bool:
    """Count an attempt; False where there is nothing to do."""
    with transaction.atomic():
        run = TaskRun.objects.select_for_update().filter(pk=key).first()
        if run is None or run.state in ENDED:
            return False
        if run.attempts >= settings.SHOP_TASK_ATTEMPTS:  # nobody lived to note why the last ones failed
            run.state, run.finished_at = State.DEAD, timezone.now()
            run.error = run.error or "the worker died in every attempt"
        else:
            run.state, run.attempts = State.RUNNING, run.attempts + 1
            run.started_at = run.started_at or timezone.now()
        run.save(update_fields=["state", "attempts", "started_at", "finished_at", "error"])
        return run.state == State.RUNNING


def _fail(key: UUID, error: Exception, started_ns: int) -> Outcome:
    """Note why an attempt failed; after the last one the work is dead."""
    with transaction.atomic():
        run = TaskRun.objects.select_for_update().get(pk=key)
        if run.state in ENDED:  # another attempt went better
            return Outcome.NOTHING_TO_DO
        dead = run.attempts >= settings.SHOP_TASK_ATTEMPTS
        run.state, run.error = State.DEAD if dead else State.RETRYING, _told(error)
        _end(run, started_ns)
        run.finished_at = run.finished_at if dead else None
        run.save(update_fields=["state", "finished_at", "run_us", "error"])
    return Outcome.DEAD if dead else Outcome.TRY_AGAIN


def _work(task: str) -> Callable[[int], None]:
    """Return the function; imported when first needed, so that a server needs no more than it does."""
    found: Callable[[int], None] = import_string(settings.SHOP_TASKS[task])
    return found


def _keep(run: TaskRun, state: State, started_ns: int) -> None:
    """Write the row of work that has ended; where it was asked for twice, the first row stays."""
    run.state = state
    _end(run, started_ns)
    TaskRun.objects.bulk_create([run], ignore_conflicts=True)


def _end(run: TaskRun, started_ns: int) -> None:
    run.finished_at = timezone.now()
    run.run_us = (time.perf_counter_ns() - started_ns) // 1000


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")[:LONGEST_ERROR]


def _send(run: TaskRun) -> None:
    from background.queue import send  # noqa: PLC0415 - imported at the start where it is used

    send(run)
