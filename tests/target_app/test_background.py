"""Work in the background, as the server sees it: asked for, done once, seen by staff."""

import base64
import subprocess
import sys
from io import StringIO

import pytest
from background import selectors, services
from background.models import State, TaskRun
from background.services import Outcome, perform
from core.toggles import DECLARATION
from django.contrib.auth.models import User
from django.core.management import call_command
from exports.models import Export
from factories import CustomerFactory, ProductFactory
from orders.models import Confirmation, Invoice, Order
from orders.services import Item, place_order

SHOP = DECLARATION.parent
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_rows(db):  # noqa: ARG001 - the rows must be there
    """Forget what shops that ran as processes of their own have left."""
    for model in (TaskRun, Invoice, Confirmation, Export):
        model.objects.all().delete()


@pytest.fixture
def shopping(api, django_capture_on_commit_callbacks):
    """Give a function that posts as a client does, with what follows the commit."""

    def post(path, body):
        with django_capture_on_commit_callbacks(execute=True):
            return api.post(f"/api/v1/{path}", body, format="json")

    return post


@pytest.fixture
def order(shopping):
    product = ProductFactory(name="Lamp <old> & new", price="12.50", stock=5)
    body = {"customer": CustomerFactory().pk, "lines": [{"product": product.pk, "quantity": 2}]}
    answer = shopping("orders", body)
    assert answer.status_code == 201
    return Order.objects.get(pk=answer.json()["id"])


@pytest.fixture
def broken(settings):
    settings.SHOP_TASKS = {"confirm_order": "worker_tasks.failing"}


def test_an_order_gets_its_papers_within_the_request(api, order):
    shown = api.get(f"/api/v1/orders/{order.pk}/confirmation").json()
    assert shown["recipient"] == order.customer.email
    assert "2 x Lamp <old> & new, 12.50 each" in shown["text"]
    assert "Total: 25.00" in shown["text"]
    paper = api.get(f"/api/v1/orders/{order.pk}/invoice")
    assert (paper["Content-Type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    run = TaskRun.objects.get()
    assert (run.task, run.subject, run.state, run.attempts) == ("confirm_order", order.pk, "done", 1)
    assert run.queue_us == 0
    assert 0 < run.run_us <= run.end_to_end_us


def test_the_same_order_makes_the_same_invoice(order):
    from orders.paperwork import document

    lines = list(order.lines.select_related("product"))
    assert document(order, lines) == document(order, lines) == bytes(order.invoice.document)


def test_papers_that_are_made_twice_are_there_once(order):
    from orders.paperwork import confirm_order

    made = Invoice.objects.get().pk, Confirmation.objects.get().pk
    confirm_order(order.pk)
    assert (Invoice.objects.get().pk, Confirmation.objects.get().pk) == made


def test_work_that_was_asked_for_twice_is_one_row(order, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.later("confirm_order", order.pk)
    assert TaskRun.objects.count() == 1


@pytest.mark.usefixtures("order")
def test_work_that_is_done_is_not_done_again():
    run = TaskRun.objects.get()
    Invoice.objects.all().delete()
    assert perform(run.pk) is Outcome.NOTHING_TO_DO
    assert not Invoice.objects.exists()


@pytest.mark.usefixtures("broken")
def test_a_failure_is_a_dead_letter_and_the_order_stands(order):
    run = TaskRun.objects.get(subject=order.pk)
    assert (run.state, run.error) == ("dead", "RuntimeError: the printer is on fire")
    assert not Invoice.objects.exists()


@pytest.mark.usefixtures("broken")
def test_dead_letters_can_be_sent_again(order, settings):
    settings.SHOP_TASKS = {"confirm_order": "orders.paperwork.confirm_order"}
    out = StringIO()
    call_command("resend_tasks", "--dead", stdout=out)
    assert out.getvalue() == "1 sent again\n"
    assert TaskRun.objects.get().state == "done"
    assert Invoice.objects.filter(order=order).count() == 1


@pytest.mark.usefixtures("broken")
def test_a_worker_tries_again_and_gives_up_in_the_end(settings):
    settings.SHOP_TASK_ATTEMPTS = 2
    run = TaskRun.objects.create(task="confirm_order", subject=7)
    assert perform(run.pk) is Outcome.TRY_AGAIN
    run.refresh_from_db()
    assert (run.state, run.attempts, run.finished_at) == ("retrying", 1, None)
    assert perform(run.pk) is Outcome.DEAD
    assert perform(run.pk) is Outcome.NOTHING_TO_DO
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("dead", 2)


def test_work_that_kills_every_worker_is_given_up(settings):
    """Nobody is left to note a failure, so attempts are counted before they are made."""
    run = TaskRun.objects.create(
        task="confirm_order", subject=7, state=State.RUNNING, attempts=settings.SHOP_TASK_ATTEMPTS
    )
    assert perform(run.pk) is Outcome.NOTHING_TO_DO
    run.refresh_from_db()
    assert (run.state, run.error) == ("dead", "the worker died in every attempt")


def test_an_export_has_a_row_for_each_product_of_its_category(api, shopping):
    answer = shopping("exports", {"category": "kitchen"})
    assert answer.status_code == 202
    assert answer.json() == {"id": answer.json()["id"], "category": "kitchen"}
    path = f"/api/v1/exports/{answer.json()['id']}"
    file = api.get(f"{path}/file")
    head, *rows = file.content.decode().splitlines()
    assert head == "product,name,brand,category,price,stock,orders,units,revenue,last_sold_on"
    assert len(rows) == api.get(path).json()["rows"] > 10
    best = api.get("/api/v1/best-sellers?category=kitchen").json()[0]
    mine = next(row for row in rows if row.startswith(f"{best['product']['id']},")).split(",")
    assert mine[7:9] == [str(best["units"]), best["revenue"]]


def test_what_is_still_to_be_made_is_not_missing(api, choose):
    choose(tasks="celery")  # nothing is sent: the test's transaction is never committed
    customer, product = CustomerFactory(), ProductFactory()
    order = place_order(customer, [Item(product.pk, 1)])
    export = Export.objects.create()
    for path in (
        f"orders/{order.pk}/confirmation",
        f"orders/{order.pk}/invoice",
        f"exports/{export.pk}/file",
    ):
        answer = api.get(f"/api/v1/{path}")
        assert (answer.status_code, answer["Retry-After"]) == (202, "1")
    for path in ("orders/0/confirmation", "orders/0/invoice", "exports/0/file"):
        assert api.get(f"/api/v1/{path}").status_code == 404
    assert TaskRun.objects.get().state == "queued"


def login(name):
    return {"authorization": "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()}


@pytest.mark.usefixtures("order")
def test_only_staff_see_the_status(api):
    for name, is_staff in (("eve", False), ("bob", True)):
        User.objects.create_user(name, password="secret", is_staff=is_staff)
    assert api.get("/staff/tasks").status_code == 401
    assert api.get("/staff/tasks", headers=login("eve")).status_code == 403
    told = api.get("/staff/tasks", headers=login("bob")).json()
    assert (told["tasks"], told["broker"], told["queue_length"]) == ("inline", "redis", 0)
    assert told["states"] == {"queued": 0, "running": 0, "retrying": 0, "done": 1, "dead": 0}
    times = told["times"]["confirm_order"]
    assert times["count"] == 1
    assert times["run"]["p95_us"] == times["run"]["max_us"] > 0
    assert told["times"]["export_sales"]["queue"] is None
    page = api.get("/staff/tasks", headers=login("bob") | {"accept": "text/html"})
    assert "confirm_order" in page.content.decode()


def test_staff_see_dead_letters_without_their_markup(api, order):
    User.objects.create_user("bob", password="secret", is_staff=True)
    TaskRun.objects.update(state="dead", error="<script>alert(1)</script>")
    told = api.get("/staff/tasks", headers=login("bob")).json()["dead_letters"]
    assert [(one["task"], one["subject"]) for one in told] == [("confirm_order", order.pk)]
    page = api.get("/staff/tasks", headers=login("bob") | {"accept": "text/html"}).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_times_are_told_by_nearest_rank():
    assert selectors.spread([]) is None
    assert selectors.spread(list(range(1, 101))) == {
        "mean_us": 50.5,
        "p50_us": 50,
        "p95_us": 95,
        "max_us": 100,
    }
    assert selectors.spread([7])["p95_us"] == 7


def test_without_its_broker_the_shop_still_takes_orders(choose, shopping, monkeypatch):
    from background import queue

    monkeypatch.setattr(queue, "app", queue.Celery("none", broker="redis://127.0.0.1:1/0"))
    queue.app.conf.task_publish_retry = False
    choose(tasks="celery")
    body = {"customer": CustomerFactory().pk, "lines": [{"product": ProductFactory().pk, "quantity": 1}]}
    assert shopping("orders", body).status_code == 201
    assert TaskRun.objects.get().state == "queued"
    assert selectors.queue_length() is None


def test_waits_double_and_are_never_alike(settings):
    from background.queue import backoff_s

    settings.SHOP_TASK_BACKOFF_MS = 1000
    for attempt, longest in ((1, 1), (2, 2), (3, 4), (20, 300)):
        waits = [backoff_s(attempt) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


ORDER = """
import sys
from catalogue.models import Product
from customers.models import Customer
from django.db import connection, transaction
from orders.models import Invoice
from orders.services import Item, place_order
with transaction.atomic():
    product = Product.objects.filter(stock__gt=0, is_active=True).first()
    order = place_order(Customer.objects.first(), [Item(product.pk, 1)])
    for _, work, _ in connection.run_on_commit:
        work()
    made = Invoice.objects.filter(order=order).count()
    transaction.set_rollback(True)
"""
TELL = """
import sys
found = sorted({name.partition(".")[0] for name in sys.modules} & {"celery", "kombu", "billiard"})
print(locals().get("made"), found)
"""


@pytest.mark.parametrize(
    ("choice", "code", "told"),
    [("inline", ORDER + TELL, "1 []"), ("celery", TELL, "None ['billiard', 'celery', 'kombu']")],
)
def test_celery_is_imported_only_where_it_is_chosen(environment, choice, code, told):
    """With inline it is not there even after an order; with celery it is there before the first."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", code],
        cwd=SHOP,
        env=environment | {"SHOP_TASKS": choice},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, told), done.stderr


def test_a_broker_without_an_address_is_not_available(environment):
    def check(**variables):
        return subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=SHOP,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    done = check(SHOP_BROKER="rabbitmq")
    assert done.returncode == 2
    assert "SHOP_BROKER='rabbitmq' is not available here: SHOP_RABBITMQ_URL is not set" in done.stderr
    assert check(SHOP_BROKER="rabbitmq", SHOP_RABBITMQ_URL="amqp://a:b@127.0.0.1/").returncode == 0
