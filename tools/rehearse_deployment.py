"""Rehearse a deployment with a migration, and its rollback, while requests go on: none may fail.

    python tools/rehearse_deployment.py
    python tools/rehearse_deployment.py --mistake       must fail: the column has no default in the database

The next release is this code with one more column of orders (tools/rehearsal/order_channel.py). Two
servers are behind nginx; the steps are those of docs/operations.md. Needs nginx, and nothing else.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from embedded import ROOT, services
from fleet import Fleet, variables

from loadstone.target.ports import Ports

MIGRATION, BEFORE_IT = "0003_order_channel", "0002"
FIELD = "    placed_at = models.DateTimeField()\n"
COLUMN = '    channel = models.CharField(max_length=20, default="web", db_default="shop")\n'
IN_DATABASE = ', db_default="shop"'
GOOD = {http.client.OK, http.client.CREATED, http.client.CONFLICT}  # sold out is an answer, too
LOCK_TIMEOUT = "-c lock_timeout=2s"
SERVERS = 2


@dataclass
class Traffic:
    """Customers who look and buy, each on a connection of its own per request, and what became of it."""

    port: int
    phase: str = "before"
    over: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest_ms: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    failures: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: object = None) -> bytes:
        """Send one request, and count its answer by phase and release."""
        phase, begin = self.phase, time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        text, release = b"", "none"
        try:
            sent = json.dumps(body) if body else None
            connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
            answer = connection.getresponse()
            text = answer.read()
            release = Path(answer.headers.get("X-Server", "none")).name.split("-")[0]
            if answer.status not in GOOD:
                self.failures.append(f"{phase}: {method} {path}: {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{phase}: {method} {path}: {type(error).__name__}: {error}")
        finally:
            connection.close()
        self.answers[phase][release] += 1
        self.slowest_ms[phase] = max(self.slowest_ms[phase], 1000 * (time.monotonic() - begin))
        return text

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Send all the while."""
        customer = rows(self.send("GET", "/api/v1/customers?page_size=1"))[0]["id"]
        shelf = rows(self.send("GET", "/api/v1/products?in_stock=true&page_size=100"))
        products = [each["id"] for each in shelf]
        threads = [threading.Thread(target=self.look, args=(products,)) for _ in range(2)]
        threads.append(threading.Thread(target=self.buy, args=(customer, products)))
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self.over.set()
            for each in threads:
                each.join()

    def look(self, products: list[int]) -> None:
        """Look at one product after the other until told to end."""
        for product in itertools.cycle(products):
            if self.over.wait(0.03):
                return
            self.send("GET", f"/api/v1/products/{product}")

    def buy(self, customer: int, products: list[int]) -> None:
        """Order one product after the other until told to end."""
        for product in itertools.cycle(products):
            if self.over.wait(0.06):
                return
            lines = [{"product": product, "quantity": 1}]
            self.send("POST", "/api/v1/orders", {"customer": customer, "lines": lines})


def rows(text: bytes) -> list[dict[str, Any]]:
    """Return the rows of a page, or of a whole list."""
    answer = json.loads(text)
    found: list[dict[str, Any]] = answer["results"] if isinstance(answer, dict) else answer
    return found


def releases(folder: Path, *, mistake: bool) -> dict[str, Path]:
    """Write this release and the next one into folders; return those."""
    made = {name: folder / name for name in ("this", "next")}
    for home in made.values():
        shutil.copytree(ROOT / "target_app", home, ignore=shutil.ignore_patterns("__pycache__"))
    models = made["next"] / "orders" / "models.py"
    code, text = models.read_text(), (ROOT / "tools" / "rehearsal" / "order_channel.py").read_text()
    if code.count(FIELD) != 1 or IN_DATABASE not in text:
        sys.exit("orders/models.py is not what the next release expects: adapt tools/rehearse_deployment.py")
    code = code.replace(FIELD, FIELD + COLUMN)
    if mistake:
        code, text = (each.replace(IN_DATABASE, "") for each in (code, text))
    models.write_text(code)
    (made["next"] / "orders" / "migrations" / f"{MIGRATION}.py").write_text(text)
    return made


@dataclass
class Rehearsal:
    """The steps, in their order.

    Args:
        shops: the code of both releases.
        hold_s: how long requests go on between the steps.
    """

    fleet: Fleet
    traffic: Traffic
    shops: dict[str, Path]
    env: dict[str, str]
    hold_s: float
    serving: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    bought: dict[str, int] = field(default_factory=dict)
    """Orders since the begin, by the channel that was written, before the column goes."""

    def run(self) -> None:
        """Deploy, hold, roll back, hold."""
        before = self.ask("SELECT coalesce(max(id), 0) FROM orders_order")[0][0]
        self.phase("this release serves", self.hold_s)
        self.phase("migrate")
        self.migrate()
        self.phase("still this release", self.hold_s)
        self.phase("replace servers")
        self.replace("next")
        self.phase("next release serves", self.hold_s)
        self.phase("roll servers back")
        self.replace("this")
        counted = "SELECT channel, count(*) FROM orders_order WHERE id > %s GROUP BY 1 ORDER BY 1"
        self.bought = dict(self.ask(counted, before))
        self.phase("migrate back")
        self.migrate("orders", BEFORE_IT)
        self.phase("this release again", self.hold_s)
        columns = (
            "SELECT 1 FROM information_schema.columns WHERE table_name = 'orders_order' AND column_name = %s"
        )
        if self.ask(columns, "channel"):
            sys.exit("the column is still there after the rollback")

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with closing(psycopg2.connect(self.env["DATABASE_URL"])) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def phase(self, name: str, hold_s: float = 0.0) -> None:
        """Begin a phase, and let requests go on for so long."""
        self.traffic.phase = name
        sys.stderr.write(f"{name}\n")
        time.sleep(hold_s)

    def migrate(self, *words: str) -> None:
        """Migrate by the next release's code; a lock that is not had soon is given up, not queued for."""
        argv = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0", *words]
        subprocess.run(argv, cwd=self.shops["next"], env={**self.env, "PGOPTIONS": LOCK_TIMEOUT}, check=True)

    def begin(self) -> None:
        """Serve by this release."""
        self.serving = [self.start("this") for _ in range(SERVERS)]
        self.fleet.route(self.serving)

    def start(self, release: str) -> str:
        """Start a server of a release; return its name once it is ready."""
        name = f"{release}-{next(self.numbers)}"
        self.fleet.start(name, self.shops[release], self.env)
        self.fleet.await_ready(name)
        return name

    def replace(self, release: str) -> None:
        """Replace one server after the other: the new one serves before the old one ends."""
        for leaving in tuple(self.serving):
            self.serving = [self.start(release), *(name for name in self.serving if name != leaving)]
            self.fleet.route(self.serving)
            self.fleet.stop(leaving)


def rehearse(folder: Path, asked: argparse.Namespace) -> Rehearsal:
    """Rehearse in a folder; return what happened."""
    shops = releases(folder, mistake=asked.mistake)
    ports = Ports()
    with services() as (database, redis):
        port = ports.take()
        secret = secrets.token_hex(32)
        env = variables(DATABASE_URL=database, REDIS_URL=redis, SECRET_KEY=secret, SHOP_GRACE_SECONDS="10")
        fleet = Fleet(folder, f"127.0.0.1:{port}")
        done = Rehearsal(fleet, Traffic(port), shops, env, asked.hold)
        try:
            done.begin()
            with done.traffic.flowing():
                done.run()
        finally:
            fleet.close()
            ports.close()
    return done


def tell(done: Rehearsal) -> None:
    """Print what each phase saw."""
    print(f"{'phase':22} {'requests':>8}  {'slowest':>8}  answered by")
    for phase, answers in done.traffic.answers.items():
        by = ", ".join(f"{name} {count}" for name, count in sorted(answers.items()))
        print(f"{phase:22} {answers.total():>8}  {done.traffic.slowest_ms[phase]:>5.0f} ms  {by}")
    print("orders by channel (web: written by the next release):", done.bought)
    for failure in done.traffic.failures[:20]:
        print(failure)
    print(f"{len(done.traffic.failures)} requests failed")


def main() -> int:
    """Rehearse; 0 where no request failed, 1 otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--mistake", action="store_true", help="a migration that the earlier release cannot live with"
    )
    parser.add_argument("--hold", type=float, default=3.0, metavar="SECONDS", help="between steps")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        done = rehearse(Path(folder), asked)
    tell(done)
    return int(bool(done.traffic.failures))


if __name__ == "__main__":
    sys.exit(main())
