"""The main job on the reference shop, with real PostgreSQL, Redis, gunicorn and Locust."""

import json
import os
import signal
import time
from pathlib import Path

import jsonschema
import pytest
from projects import Project

from loadstone.record.result import json_schema

ROOT = Path(__file__).parents[2]
QUICK = ("--budget", "30s")


@pytest.fixture
def shop() -> Project:
    """The repository itself; reports go elsewhere."""
    return Project(ROOT)


def compare(shop: Project, tmp_path: Path, *words: str) -> tuple[int, dict, str]:
    ran = shop.run("compare", *words, *QUICK, "--reports", str(tmp_path), "--json", "-")
    return ran.returncode, json.loads(ran.stdout), ran.stderr


def facts_of(result: dict, endpoint: str) -> list[float]:
    return [fact["queries_first"] for fact in result["probe"]["facts"] if fact["endpoint"] == endpoint]


def test_prefetching_is_improved_with_its_queries_counted(shop, tmp_path):
    code, result, err = compare(shop, tmp_path, "orm=naive", "orm=prefetch")
    assert code == 0, err
    assert result["verdict"]["verdict"] == "improved"
    assert facts_of(result, "GET /products") == [61, 2]
    assert result["probe"]["payload"]["differences"] == []
    mean = next(one for one in result["contrasts"] if one["metric"] == "latency_mean" and one["gating"])
    assert mean["effect"]["high"] < 0
    cpu = next(one for one in result["contrasts"] if one["metric"] == "cpu_database")
    assert cpu["verdict"] == "improved"
    assert all(len(line["plan_fingerprints"]) == 2 for line in result["generations"])


def probe_only(shop: Project, tmp_path: Path, *words: str) -> tuple[int, dict, str]:
    ran = shop.run("compare", *words, "--lane", "probe", "--reports", str(tmp_path), "--json", "-")
    return ran.returncode, json.loads(ran.stdout), ran.stderr


def test_extra_queries_are_called_from_exact_facts_alone(shop, tmp_path):
    code, result, err = probe_only(shop, tmp_path, "orm=prefetch", "orm=naive")
    assert code == 1, err
    assert result["verdict"]["headline"].startswith("regressed: queries per request 2 → 61 (GET /products)")
    assert result["experiment"]["lanes"] == ["probe"]
    assert result["contrasts"] == result["generations"] == []
    jsonschema.validate(result, json_schema())
    ran = shop.run("verify", str(next(tmp_path.glob("2*"))))
    assert ran.returncode == 0, ran.stdout


def test_identical_variants_have_identical_facts(shop, tmp_path):
    code, result, err = probe_only(shop, tmp_path, "orm=naive", "orm=naive", "--allow-identical")
    assert code == 0, err
    assert result["verdict"]["verdict"] == "equivalent"
    assert {one["verdict"] for one in result["facts"]} == {"equivalent"}
    assert {one["fact"] for one in result["facts"]} >= {"queries", "queries_repeat", "rows", "response_bytes"}


def test_a_worker_beside_the_server_makes_the_same_reports(shop, tmp_path):
    code, result, err = probe_only(
        shop, tmp_path, "tasks=inline", "tasks=celery", "--scenario", "report_export"
    )
    assert code in (0, 1), err
    payload = result["probe"]["payload"]
    assert payload["differences"] == []
    assert payload["checked"] == payload["equal"] > 5
    asked = {one["fact"]: one for one in result["facts"] if one["endpoint"] == "POST /exports"}
    assert asked["queries"]["after"] < asked["queries"]["before"], (
        "the worker's own are none of the request's"
    )
    assert asked["cache_commands"]["after"] > asked["cache_commands"]["before"] == 0
    fetched = [
        one["statuses"] for one in result["probe"]["facts"] if one["endpoint"] == "GET /exports/{id}/file"
    ]
    assert fetched == [[200], [200]]


def test_a_schema_toggle_changes_the_plans_of_one_side_only(shop, tmp_path):
    code, result, err = compare(shop, tmp_path, "indexes=none", "indexes=composite")
    assert code in (0, 1), err
    for line in result["generations"]:
        assert line["plan_fingerprints"]["before"] != line["plan_fingerprints"]["after"]
    assert result["variants"][0]["recipe"] != result["variants"][1]["recipe"]


def test_a_database_that_goes_away_makes_the_run_invalid(shop, tmp_path):
    process = shop.start(
        "compare", "orm=naive", "orm=prefetch", "--budget", "60s", "--reports", str(tmp_path), "--json", "-"
    )
    _wait_for_generation(tmp_path)
    for _ in range(30):  # one that is just being stopped would not be missed, the next ones are
        for postmaster in _postmasters(process.pid):
            os.kill(postmaster, signal.SIGKILL)
        time.sleep(0.2)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "PostgreSQL" in err
    assert json.loads(out)["run"]["status"] == "invalid"
    assert "Traceback" not in err


def _wait_for_generation(reports: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if any('"kind":"generation"' in path.read_text() for path in reports.glob("*/journal.jsonl")):
            time.sleep(2.5)  # well into the next one
            return
        time.sleep(0.1)
    raise AssertionError("no generation was measured")


def _postmasters(parent: int) -> list[int]:
    """Return each PostgreSQL that is a child of `parent`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")
        except OSError:
            continue
        if int(fields[2].split()[1]) == parent and "(postgres" in fields[0]:
            found.append(int(path.parent.name))
    return found
