"""Work in the background, as Prometheus sees it."""

from datetime import timedelta

import pytest
from background.models import State, TaskRun
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
def told(monkeypatch, db):  # noqa: ARG001 - the database must be there
    """Give a function that returns a sample of the next scrape, of rows of this test alone."""
    from background import metrics

    TaskRun.objects.all().delete()  # tests with real servers leave theirs

    monkeypatch.setattr(metrics, "queue_length", lambda: 3)  # there is no broker in these tests

    def value(name, **labels):
        families = text_string_to_metric_families(metrics.exposition().decode())
        found = {
            (one.name, tuple(sorted(one.labels.items()))): one.value
            for each in families
            for one in each.samples
        }
        return found[(name, tuple(sorted(labels.items())))]

    return value


def made(task="confirm_order", state=State.DONE, waited_s=2, ran_s=0.5, subject=1):
    asked = timezone.now() - timedelta(seconds=100)
    started = None if state == State.QUEUED else asked + timedelta(seconds=waited_s)
    run_us = round(ran_s * 1e6) if state == State.DONE else None
    TaskRun.objects.create(
        task=task, state=state, subject=subject, queued_at=asked, started_at=started, run_us=run_us
    )


def test_nothing_yet_is_zero_and_not_unknown(told):
    assert told("shop_tasks", task="export_sales", state="dead") == 0
    assert told("shop_task_queue_seconds_count", task="confirm_order") == 0
    assert told("shop_task_oldest_seconds", task="confirm_order") == 0


def test_times_and_states_are_added_up_by_task(told):
    made(subject=1)
    made(subject=2, waited_s=4, ran_s=1.5)
    made(subject=3, state=State.DEAD)
    made(task="export_sales")
    assert told("shop_tasks", task="confirm_order", state="done") == 2
    assert told("shop_tasks", task="confirm_order", state="dead") == 1
    assert told("shop_task_queue_seconds_sum", task="confirm_order") == pytest.approx(8)
    assert told("shop_task_queue_seconds_count", task="confirm_order") == 3
    assert told("shop_task_run_seconds_sum", task="confirm_order") == pytest.approx(2)
    assert told("shop_task_run_seconds_count", task="confirm_order") == 2


def test_work_that_nobody_has_taken_grows_old(told):
    made(state=State.QUEUED)
    assert told("shop_task_oldest_seconds", task="confirm_order") >= 100
    assert told("shop_task_oldest_seconds", task="export_sales") == 0


def test_what_waits_at_the_broker_is_told_where_it_answers(told, monkeypatch):
    from background import metrics

    assert told("shop_task_queue_length") == 3
    monkeypatch.setattr(metrics, "queue_length", lambda: None)
    with pytest.raises(KeyError):
        told("shop_task_queue_length")
