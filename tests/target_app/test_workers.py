"""Work in the background with real workers and a real broker: what is killed, what fails, what is left."""

import os
import signal
import sys
import time
import tomllib
from pathlib import Path

import pytest
from background import services
from background.models import TaskRun
from catalogue.models import Tag
from core.toggles import DECLARATION
from django.db import transaction
from exports.models import Export
from factories import CustomerFactory, ProductFactory
from orders.models import Confirmation, Invoice
from orders.services import Item, place_order

from loadstone.target.cpu import tree

SHOP = DECLARATION.parent
SUPPORT = Path(__file__).parent / "support"
COMPANION = tomllib.loads((SHOP.parent / "loadstone.toml").read_text())["target"]["companions"]["worker"]
RABBITMQ_URL = os.environ.get("SHOP_TEST_RABBITMQ_URL", "")
"""Whose queue "shop" is emptied; without it Redis is the broker."""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(shop_redis_url, monkeypatch):
    """Give what tells a worker of a broker that emptying the cache leaves alone; its queue is empty."""
    from background import queue

    url = RABBITMQ_URL or f"{shop_redis_url.rpartition('/')[0]}/8"
    monkeypatch.setattr(queue.app.conf, "broker_url", url)
    if not RABBITMQ_URL:
        return {"REDIS_URL": url}
    queue.app.conf.broker_transport_options = {"confirm_publish": True}  # for the whole session
    with queue.app.connection_for_write() as connection:
        connection.default_channel.queue_delete(queue.app.conf.task_default_queue)
    return {"SHOP_BROKER": "rabbitmq", "SHOP_RABBITMQ_URL": url}


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def work(supervisor, environment, broker, marks, tmp_path, settings):
    """Give a function that starts a worker, as Loadstone does, and returns it once it takes tasks."""
    settings.SHOP_TASKS = {
        **settings.SHOP_TASKS,
        "slow": "worker_tasks.slow",
        "failing": "worker_tasks.failing",
    }
    started = []
    variables = environment | {
        **broker,
        "DJANGO_SETTINGS_MODULE": "worker_settings",
        "PYTHONPATH": str(SUPPORT),
        "SHOP_TASKS": "celery",
        "SHOP_TASK_ATTEMPTS": "5",
        "SHOP_TASK_BACKOFF_MS": "20",
        "SHOP_TASK_VISIBILITY_SECONDS": "1",
        "MARKS": str(marks),
    }
    argv = [word.replace("{python}", sys.executable) for word in COMPANION["command"]]

    def start():
        log = tmp_path / f"worker-{len(started)}.log"
        child = supervisor.start("worker", argv, log=log, cwd=SHOP, env=variables)
        started.append(child)
        await_true(lambda: COMPANION["ready"] in log.read_text() or not child.alive())
        assert child.alive(), log.read_text()
        return child

    yield start
    supervisor.stop(*started)


def await_true(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def state_of(task):
    return TaskRun.objects.values_list("state", flat=True).get(task=task)


def begin(work_of, marks):
    """Ask for the slow task; return the process that is at it."""
    with transaction.atomic():
        services.later("slow", 1)
    await_true(lambda: list(marks.iterdir()))
    pid = int(next(marks.iterdir()).name)
    return pid, next(worker for worker in work_of if pid in tree(worker.pid))


def assert_done_once_by_another(killed):
    await_true(lambda: state_of("slow") == "done")
    (slug,) = Tag.objects.filter(name="made by a task").values_list("slug", flat=True)
    assert slug != f"task-1-{killed}"
    assert TaskRun.objects.get().attempts >= 2  # more where a busy machine loses another process


def test_a_process_that_is_killed_at_work_leaves_it_to_the_next(work, marks, choose):
    choose(tasks="celery")
    worker = work()
    pid, _ = begin([worker], marks)
    os.kill(pid, signal.SIGKILL)
    assert_done_once_by_another(pid)
    assert worker.alive()


def test_a_worker_that_is_killed_whole_leaves_its_work_to_another(work, marks, choose):
    choose(tasks="celery")
    workers = [work(), work()]
    killed, victim = begin(workers, marks)
    for pid in tree(victim.pid):
        os.kill(pid, signal.SIGKILL)
    assert_done_once_by_another(killed)


def test_what_always_fails_is_a_dead_letter_after_its_attempts(work, choose):
    choose(tasks="celery")
    work()
    with transaction.atomic():
        services.later("failing", 1)
    await_true(lambda: state_of("failing") == "dead")
    run = TaskRun.objects.get()
    assert (run.attempts, run.error) == (5, "RuntimeError: the printer is on fire")
    assert not Tag.objects.filter(name="made in vain").exists()
    assert services.perform(run.pk) is services.Outcome.NOTHING_TO_DO


def left():
    """Return every row that work in the background writes, but for times and keys of its own."""
    runs = TaskRun.objects.order_by("task")
    assert all(run.end_to_end_us >= run.queue_us >= 0 and run.run_us > 0 for run in runs)
    return {
        "invoices": [
            (each.order_id, each.number, each.issued_on, bytes(each.document))
            for each in Invoice.objects.all()
        ],
        "confirmations": list(Confirmation.objects.values_list("order", "recipient", "subject", "text")),
        "exports": list(Export.objects.values_list("id", "category", "rows", "content")),
        "runs": list(runs.values_list("task", "subject", "state", "attempts", "error")),
    }


def test_inline_and_celery_leave_the_same_rows(work, choose):
    order = place_order(CustomerFactory(), [Item(ProductFactory(stock=9).pk, 3)])
    export = Export.objects.create()
    services.later("export_sales", export.pk)
    inline = left()
    for model in (Invoice, Confirmation, TaskRun):
        model.objects.all().delete()
    Export.objects.update(content=None, rows=None)
    choose(tasks="celery")
    work()
    with transaction.atomic():
        services.later("confirm_order", order.pk)
        services.later("export_sales", export.pk)
    await_true(lambda: TaskRun.objects.filter(state="done").count() == 2)
    assert left() == inline
    assert [rows for *_, rows, _ in inline["exports"]] == [1]
    assert len(inline["invoices"]) == len(inline["confirmations"]) == 1
