"""Every query of every panel and rule against a real Prometheus that scrapes real servers."""

import http.client
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import results
from core.toggles import DECLARATION
from msgspec.structs import replace
from panels import filled_in, panel_queries, rule_queries
from projects import Project
from scraping import Prometheus

from loadstone.record.result import encode
from loadstone.target.ports import Ports

SHOP = DECLARATION.parent
ROOT = SHOP.parent
EXPORTED = ("pg_", "redis_", "node_")
EXPORTERS = {
    "pg_": "prometheus-postgres-exporter",
    "redis_": "prometheus-redis-exporter",
    "node_": "prometheus-node-exporter",
}
PATHS = ("/api/v1/products", "/api/v1/products/1", "/api/v1/categories")

pytestmark = [
    pytest.mark.django_db,  # so that the test database is made
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="there is no Prometheus on this machine: apt-get install prometheus",
    ),
]


class Traffic(threading.Thread):
    """Asks one server steadily, whatever becomes of it."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.over = port, threading.Event()

    def run(self):
        """Send until told to end."""
        for number in itertools.count():
            if self.over.wait(0.04):
                return
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", PATHS[number % len(PATHS)])
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                pass  # its worker was killed
            finally:
                connection.close()


class Watched:
    """Three shops, a run under load and a finished one, all in one Prometheus."""

    def __init__(self, supervisor, folder, environment, redis_url):
        self.supervisor, self.folder, self.environment = supervisor, folder, environment
        self.redis_url = redis_url
        self.ports = Ports()
        home = folder / "prometheus"
        home.mkdir()
        self.prometheus = Prometheus(supervisor, home, self.ports.take())
        self.children, self.traffic, self.exporters = [], [], []
        self.servers = {}

    def start(self):
        """Start everything, and wait until the run under load is over."""
        self.finished, self.finished_at = import_finished(self.prometheus.folder)
        run_port = self.ports.take()
        self.prometheus.add_target("loadstone", "run", run_port)
        self.prometheus.start()
        self.begin = time.time()
        run = self.load(run_port)
        self.serve("cached", SHOP_CACHE="aside")
        self.serve("plain", SHOP_CACHE="off")
        self.serve("failing", SHOP_CACHE="off", DJANGO_SETTINGS_MODULE="failing_settings")
        self.export()
        out, err = run.communicate(timeout=150)
        assert run.returncode in (0, 3), out + err  # 3: a busy machine hands work out late
        self.run = next((self.folder / "runs").iterdir()).name
        self.end = time.time()

    def load(self, port):
        """Offer load to a shop with a Celery worker that the run itself starts, with the metrics of both."""
        words = ["load", "tasks=celery", "--scenario", "confirmed_checkout", "--rate", "15", "--for", "12s"]
        words += ["--with", "cache=aside,instrumentation=prometheus"]
        words += [
            "--metrics",
            str(port),
            "--metrics-targets",
            str(self.prometheus.targets / "variants-run.json"),
        ]
        return Project(ROOT).start(*words, "--reports", str(self.folder / "runs"))

    def serve(self, variant, **variables):
        """Start a shop with two workers, and somebody who asks it."""
        port = self.ports.take()
        home = self.folder / variant
        home.mkdir()
        own = {"SHOP_INSTRUMENTATION": "prometheus", "WEB_CONCURRENCY": "2", "SHOP_THREADS": "2"}
        support = str(Path(__file__).parent / "support")
        env = self.environment | own | {"TMPDIR": str(home), "PYTHONPATH": support} | variables
        argv = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        argv += ["--bind", f"127.0.0.1:{port}", "config.wsgi"]
        child = self.supervisor.start(variant, argv, log=home / "log", cwd=SHOP, env=env)
        self.children.append(child)
        self.servers[variant] = child
        self.prometheus.add_target("variants", variant, port, variant=variant)
        self.traffic.append(Traffic(port))
        self.traffic[-1].start()

    def export(self):
        """Start the exporters that this machine has, on the services of these tests."""
        redis = urlsplit(self.redis_url)
        settings = {
            "pg_": ([], {"DATA_SOURCE_NAME": f"{self.environment['DATABASE_URL']}?sslmode=disable"}),
            "redis_": (
                [f"--redis.addr=redis://{redis.hostname}:{redis.port}"],
                {"REDIS_PASSWORD": redis.password},
            ),
            "node_": ([], {}),
        }
        for kind, program in EXPORTERS.items():
            if not shutil.which(program):
                continue
            words, env = settings[kind]
            port = self.ports.take()
            argv = [shutil.which(program), *words, f"--web.listen-address=127.0.0.1:{port}"]
            log = self.folder / f"{program}.log"
            child = self.supervisor.start(program, argv, log=log, cwd=self.folder, env=env)
            self.children.append(child)
            self.exporters.append(kind)
            self.prometheus.add_target("exporters", program, port, job=program)

    def series(self, query):
        """Return the series of a query, while the run went on or when the finished one was."""
        live = self.prometheus.ranged(filled_in(query, self.run), self.begin, self.end)
        at = self.finished_at
        return live or self.prometheus.ranged(filled_in(query, self.finished), at - 120, at + 5)

    def close(self):
        """End everything."""
        for each in self.traffic:
            each.over.set()
        for each in self.traffic:
            each.join()
        started = [one for one in (self.prometheus.child, *self.children) if one is not None]
        self.supervisor.stop(*started, grace_s=3)
        self.ports.close()


def import_finished(folder):
    """Load a finished run as the docs say; return its id, and when it ended."""
    moved = shifted(results.improved())
    exported = folder / "run.om"
    (folder / "result.json").write_bytes(encode(moved))
    export = ["report", "export", str(folder / "result.json"), "--as", "openmetrics", "-o", str(exported)]
    ran = Project(ROOT).run(*export)
    assert ran.returncode == 0, ran.stderr
    words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(exported), str(folder / "data")]
    subprocess.run(words, check=True, capture_output=True)
    return moved.run.id, datetime.fromisoformat(moved.run.finished_at).timestamp()


def shifted(result):
    """Return a result as if the run had ended ten minutes ago."""
    end = datetime.now(UTC) - timedelta(minutes=10)
    ended = [
        replace(one, ended_at=(end - timedelta(seconds=60 - place)).isoformat(timespec="milliseconds"))
        for place, one in enumerate(result.generations)
    ]
    run = replace(
        result.run, id="finished", finished_at=end.isoformat(), started_at=(end - timedelta(80)).isoformat()
    )
    return replace(result, run=run, generations=ended)


@pytest.fixture(scope="module")
def watched(supervisor, open_folder, postgres_url, shop_redis_url, django_db_setup):  # noqa: ARG001
    from django.db import connections

    name = connections["default"].settings_dict["NAME"]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("SHOP_")}
    services = {
        "DATABASE_URL": f"{postgres_url.rpartition('/')[0]}/{name}",
        "REDIS_URL": shop_redis_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "for tests only " * 5,
    }
    folder = open_folder / "watched"
    folder.mkdir()
    made = Watched(supervisor, folder, variables | services, shop_redis_url)
    try:
        made.start()
        yield made
    finally:
        made.close()


def needs(query):
    """Return the exporter that a query is about, if any."""
    return next(
        (kind for kind in EXPORTED if query.lstrip("1- (").startswith(kind) or f"({kind}" in query), None
    )


def test_no_query_of_any_panel_or_rule_is_empty(watched, capsys):
    rows, empty, left_out = [], [], set()
    for board, name, query in panel_queries() + rule_queries():
        kind = needs(query)
        if kind is not None and kind not in watched.exporters:
            left_out.add(EXPORTERS[kind])
            continue
        found = watched.series(query)
        rows.append(f"{board:22} {name[:74]:74} {len(found):>3}")
        if not found:
            empty.append((board, name, query))
    with capsys.disabled():
        absent = [f"not on this machine: {one}" for one in sorted(left_out)]
        told = ["", f"{'dashboard':22} {'panel or rule':74} series", *rows, *absent]
        sys.stdout.write("\n".join(told) + "\n")
    assert empty == []


def test_prometheus_finds_every_rule_healthy(watched):
    rules = [one for group in watched.prometheus.ask("rules")["groups"] for one in group["rules"]]
    assert {one["health"] for one in rules} == {"ok"}, [one for one in rules if one["health"] != "ok"]
    assert len(rules) == len({one["name"] for one in rules})


def level(watched, uid, title, variant):
    """Return the last value that a panel shows of a variant."""
    board = json.loads((ROOT / "grafana" / "dashboards" / f"{uid}.json").read_text())
    panel = next(one for one in board["panels"] if one["title"].startswith(title))
    query = filled_in(panel["targets"][0]["expr"], watched.run).replace('=~".+"', f'="{variant}"')
    (found,) = watched.prometheus.ask("query", query=query)["result"]
    return float(found["value"][1])


def test_a_cache_that_is_off_shows_in_the_panel_of_answers_from_the_cache(watched):
    title = "Answers from the cache per request"
    assert level(watched, "loadstone-stores", title, "cached") > 0.2
    assert level(watched, "loadstone-stores", title, "plain") == 0


def test_five_percent_of_errors_show_in_the_panel_of_errors_and_raise_the_alerts(watched):
    assert level(watched, "loadstone-service", "Errors: good", "failing") == pytest.approx(0.05, abs=0.03)
    assert level(watched, "loadstone-service", "Errors: good", "plain") == 0
    for name in ("ShopErrorsUnderTest", "ShopErrorBudgetBurnsFast", "ShopErrorBudgetBurns"):
        alert = f'ALERTS{{alertname="{name}",variant="failing",alertstate="firing"}}'
        assert watched.prometheus.await_value(alert, bool) == 1


def test_a_killed_worker_shows_in_the_panel_of_worker_processes_and_raises_an_alert(watched):
    title = "Worker processes started"
    assert level(watched, "loadstone-service", title, "plain") == 2
    worker = psutil.Process(watched.servers["plain"].pid).children()[0]
    os.kill(worker.pid, signal.SIGKILL)
    watched.prometheus.await_value(
        'sum(shop_worker_starts_total{variant="plain"})', lambda starts: starts == 3
    )
    assert level(watched, "loadstone-service", title, "plain") == 3
    watched.prometheus.await_value('ALERTS{alertname="ShopWorkerDied",variant="plain"}', bool)


def test_a_finished_run_can_be_looked_at_with_its_effects_and_its_verdict(watched):
    at = watched.finished_at
    verdict = watched.prometheus.ranged('loadstone_verdict{run="finished",verdict="improved"}', at, at + 2)
    assert verdict[0][0] == 1
    effect = 'loadstone_effect{run="finished",endpoint="all",metric="latency_mean",bound="high"}'
    assert watched.prometheus.ranged(effect, at, at + 2)[0][0] < 0
