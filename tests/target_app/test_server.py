"""The shop as it runs: gunicorn with its own settings, metrics, and the scenarios under stock Locust."""

import ast
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
from core.toggles import DECLARATION
from serving import await_ready, fetch

SHOP = DECLARATION.parent
SCENARIOS = sorted((SHOP.parent / "scenarios").glob("*.py"))


def test_metrics_add_up_over_workers_and_leave_nothing_behind(serve, supervisor, tmp_path):
    base, child, log = serve(SHOP_INSTRUMENTATION="prometheus", WEB_CONCURRENCY="2", SHOP_THREADS="2")
    await_ready(base, child, log)
    shown = [row["id"] for row in json.loads(fetch(f"{base}/api/v1/products")[1])["results"]]
    for number in range(30):
        fetch(f"{base}/api/v1/products/{shown[number % len(shown)]}")
    with pytest.raises(HTTPError):
        fetch(f"{base}/wp-login.php")
    fetch(f"{base}/metrics")
    text = fetch(f"{base}/metrics")[1]
    page = 'method="GET",route="api/v1/products/<int:pk>"'
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(told[f'shop_http_requests_total{{{page},status="2xx"}}']) == 30
    assert float(told[f'shop_http_request_duration_seconds_bucket{{le="+Inf",{page}}}']) == 30
    assert float(told[f"shop_sql_queries_total{{{page}}}"]) == 30 * 4
    assert float(told[f"shop_sql_seconds_total{{{page}}}"]) > 0
    assert float(told['shop_http_requests_total{method="GET",route="unmatched",status="4xx"}']) == 1
    assert float(told["shop_http_requests_in_flight"]) == 0
    assert 1 <= float(told["shop_db_connections"]) <= 4  # one for each thread that was needed
    assert (float(told["shop_threads"]), float(told["shop_worker_starts_total"])) == (4, 2)
    assert float(told[f'shop_http_requests_total{{{page},status="5xx"}}']) == 0
    assert "/metrics" not in text
    assert 'route="metrics"' not in text
    assert list(tmp_path.glob("shop-metrics-*"))
    supervisor.stop(child, grace_s=5)
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]


@pytest.mark.parametrize(
    ("choice", "path", "shown"),
    [("silk", "silk/requests/", "/api/v1/products/1"), ("toolbar", "api/docs", "djDebug")],
)
def test_what_is_for_people_to_look_with_works(serve, environment, choice, path, shown):
    """And answers as ever: what each shows is only there where it was chosen."""
    tables = ["manage.py", "migrate", "--settings", "config.diagnose", "--verbosity", "0"]
    subprocess.run([sys.executable, *tables], cwd=SHOP, env=environment, check=True)
    base, child, log = serve(SHOP_INSTRUMENTATION=choice, DJANGO_SETTINGS_MODULE="config.diagnose")
    await_ready(base, child, log)
    assert json.loads(fetch(f"{base}/api/v1/products/1")[1])["id"] == 1
    status, text = fetch(f"{base}/{path}")
    assert (status, shown in text) == (200, True)


@pytest.mark.parametrize("choice", ["silk", "toolbar"])
def test_a_shop_that_is_measured_with_them_answers_nobody_there(choice, environment):
    name = {"silk": "silk:summary", "toolbar": "djdt:render_panel"}[choice]
    code = f"""
from django.urls import resolve, reverse

for path in (reverse({name!r}), "/silk/", "/silk/requests/", "/__debug__/render_panel/", "/static/x"):
    print(resolve(path).func.__name__)
"""
    words = [sys.executable, "manage.py", "shell", "--no-imports", "--command", code]
    variables = environment | {"SHOP_INSTRUMENTATION": choice}
    done = subprocess.run(words, cwd=SHOP, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["no_such_page"] * 5


def test_a_shop_without_its_services_is_alive_but_not_ready(serve):
    base, child, log = serve(
        DATABASE_URL="postgresql://ada:x@127.0.0.1:1/shop", REDIS_URL="redis://127.0.0.1:1/0"
    )
    for _ in range(400):
        try:
            status, _ = fetch(f"{base}/health/live")
            break
        except (URLError, ConnectionError):
            assert child.alive(), log.read_text()
            time.sleep(0.05)
    assert status == 200
    with pytest.raises(HTTPError) as error:
        fetch(f"{base}/health/ready")
    assert error.value.code == 503
    assert json.loads(error.value.read())["checks"] == {
        "postgres": "OperationalError",
        "redis": "ConnectionError",
    }


def test_wrong_settings_end_the_server_with_the_reason(serve):
    _, child, log = serve(SHOP_CACHE="asside")
    child.process.wait(timeout=20)
    assert child.process.returncode != 0
    assert "SHOP_CACHE='asside' is no choice: did you mean 'aside'?" in log.read_text()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenarios_import_locust_and_the_standard_library_alone(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    # Locust brings websocket-client, and has no client for bare WebSockets
    assert imported <= sys.stdlib_module_names | {"locust", "websocket"}
    assert not imported & {"time", "datetime", "uuid", "secrets", "os"}, "journeys must repeat"


@pytest.mark.parametrize("pagination", ["limit_offset", "none"])
def test_stock_locust_runs_every_scenario(serve, supervisor, tmp_path, pagination):
    base, child, log = serve(SHOP_PAGINATION=pagination)
    await_ready(base, child, log)
    out = tmp_path / "locust.log"
    files = ",".join(str(path) for path in SCENARIOS)
    argv = [sys.executable, "-m", "locust", "-f", files, "--headless", "--host", base, "--json"]
    argv += ["--users", str(len(SCENARIOS)), "--spawn-rate", "20", "--run-time", "3s", "--only-summary"]
    done = supervisor.run("locust", argv, log=out, cwd=Path(tmp_path), interval_s=0.1)
    assert done.process.returncode == 0, out.read_text()
