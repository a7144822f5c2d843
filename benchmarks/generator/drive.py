"""Drives a server with users of one kind in a process of its own: `drive.py KIND WORK URL USERS SECONDS`.

Prints one line of JSON: requests answered well, CPU seconds and wall seconds, without
start-up. KIND: lean, lean-stock (lean under Locust's runner, its statistics on), fast,
http. WORK: detail (one endpoint), shop (a scenario).
"""

import json
import os
import random
import sys
import time

import gevent
import msgspec
from gevent.pool import Group
from locust import FastHttpUser, HttpUser, User, task
from locust.clients import HttpSession
from locust.env import Environment
from servers import DETAIL, GENERATOR_CORE, LIST, TREE, pin

from loadstone.record.observations import Outcome
from loadstone.workload.client import Answer, Check, LeanHttpUser
from loadstone.workload.recorder import Recorder
from loadstone.workload.reporting import reporting_of


class Category(msgspec.Struct):
    """What the checks look at; everything else is skipped."""

    slug: str


class Product(msgspec.Struct):
    """As above."""

    id: int
    price: str
    category: Category


class Page(msgspec.Struct):
    """As above."""

    count: int
    results: list[Product]


_product = msgspec.json.Decoder(Product).decode
_page = msgspec.json.Decoder(Page).decode
_tree = msgspec.json.Decoder(list[Category]).decode


def product_is_right(answer: Answer) -> bool:
    """Check the JSON of one product."""
    return _product(answer.content).id == 17  # noqa: PLR2004 - as the server has it


def page_is_right(answer: Answer) -> bool:
    """Check the JSON of a page."""
    return len(_page(answer.content).results) == 10  # noqa: PLR2004 - as the server has it


def tree_is_right(answer: Answer) -> bool:
    """Check the JSON of the categories."""
    return _tree(answer.content)[0].slug == "department-0"


class LeanDetail(LeanHttpUser):
    """Asks for one product."""

    abstract = True

    @task
    def detail(self) -> None:
        """Named, and checked."""
        self.client.get(DETAIL, name="/products/{id}", check=product_is_right)


class LeanBare(LeanHttpUser):
    """Asks for one product and believes the status, as wrk does."""

    abstract = True

    @task
    def detail(self) -> None:
        """Named, not checked."""
        self.client.get(DETAIL, name="/products/{id}")


class LeanShop(LeanHttpUser):
    """A visitor of the shop."""

    abstract = True

    @task(6)
    def detail(self) -> None:
        """A product."""
        self.client.get(DETAIL, name="/products/{id}", check=product_is_right)

    @task(3)
    def page(self) -> None:
        """A page of products."""
        self.client.get(LIST, name="/products", check=page_is_right)

    @task(1)
    def tree(self) -> None:
        """The categories."""
        self.client.get(TREE, name="/categories", check=tree_is_right)


def checked(client: HttpSession, path: str, name: str, check: Check) -> None:
    """Do with Locust's own clients what the lean one does with `check`."""
    with client.get(path, name=name, catch_response=True) as answer:
        if not check(answer):
            answer.failure("wrong JSON")


class Detail(User):
    """As `LeanDetail`, for Locust's own users."""

    abstract = True

    @task
    def detail(self) -> None:
        """Named, and checked."""
        checked(self.client, DETAIL, "/products/{id}", product_is_right)


class Bare(User):
    """As `LeanBare`, for Locust's own users."""

    abstract = True

    @task
    def detail(self) -> None:
        """Named, not checked."""
        self.client.get(DETAIL, name="/products/{id}")  # type: ignore[attr-defined]


class Shop(User):
    """As `LeanShop`, for Locust's own users."""

    abstract = True

    @task(6)
    def detail(self) -> None:
        """A product."""
        checked(self.client, DETAIL, "/products/{id}", product_is_right)

    @task(3)
    def page(self) -> None:
        """A page of products."""
        checked(self.client, LIST, "/products", page_is_right)

    @task(1)
    def tree(self) -> None:
        """The categories."""
        checked(self.client, TREE, "/categories", tree_is_right)


LEAN = {"detail": LeanDetail, "bare": LeanBare, "shop": LeanShop}
STOCK = {"detail": Detail, "bare": Bare, "shop": Shop}


def user_class(kind: str, work: str, url: str) -> type[User]:
    """Return the user class of a kind that does this work."""
    if kind.startswith("lean"):
        return type("Lean", (LEAN[work],), {"host": url, "abstract": False})
    base = {"fast": FastHttpUser, "http": HttpUser}[kind]
    return type("Stock", (STOCK[work], base), {"host": url, "abstract": False})


def main() -> None:
    """Drive, and print what it cost."""
    kind, work, url, users, seconds = sys.argv[1:]
    pin(GENERATOR_CORE)
    random.seed(1)
    cls = user_class(kind, work, url)
    environment = Environment(user_classes=[cls], catch_exceptions=False)
    recorder = Recorder(time.perf_counter_ns())
    if kind == "lean":
        reporting_of(environment).record_into(recorder)
    else:
        environment.create_local_runner()  # which listens for Locust's own statistics
    group = Group()
    everyone = [cls(environment) for _ in range(int(users))]
    cpu, wall = time.process_time(), time.perf_counter()
    for user in everyone:
        user.start(group)
    gevent.sleep(float(seconds))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if kind == "lean":
        recording = recorder.take()
        total, good = recording.total, recording.count(outcomes=[Outcome.OK])
    else:
        total = environment.stats.total.num_requests
        good = total - environment.stats.total.num_failures
    print(json.dumps({"requests": total, "good": good, "cpu_s": cpu, "wall_s": wall}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
