"""What is kept of a run, whatever became of it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import comparing
import msgspec
import pytest
from comparing import BENCH, Comparison, Plan, Ran, row_of
from results import regressed
from runs import make_plan

from loadstone.config.controls import with_controls
from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.lanes.design import Noise, Setting
from loadstone.lanes.design import make_plan as plan_of
from loadstone.record.journal import PlanLine
from loadstone.record.result import encode

BEFORE = Variant(
    "before", "a=1", ("serve", "{port}"), Path("/"), {}, Recipe((), "small", 1), "/", Path("python")
)
EXPERIMENT = Experiment("a=1 → a=2", Path(__file__), (BEFORE, replace(BEFORE, name="after")), "small", 1)


def ran(tmp_path, result, *, exit_code=0, stderr=""):
    run = tmp_path / "run"
    (run / "chunks").mkdir(parents=True)
    lines = [msgspec.json.encode(PlanLine(plan=make_plan(8))).decode()]
    count = len(result["generations"]) if result else 0
    for index in range(count):
        (run / "chunks" / f"{index}.rows").touch()
        os.utime(run / "chunks" / f"{index}.rows", (0.0, 1000.0 + 10.0 * (index + 1)))
        lines.append(json.dumps({"kind": "generation", "chunk": str(index)}))
    (run / "journal.jsonl").write_text("\n".join(lines))
    if result:
        os.utime(run / "journal.jsonl", (0.0, 1000.0 + result["run"]["duration_s"]))
    return Ran(7, exit_code, result, stderr, run, tmp_path)


@pytest.fixture
def result():
    return json.loads(encode(regressed()))


def test_every_gating_metric_is_kept_with_its_looks_and_their_times(tmp_path, result):
    row = row_of(ran(tmp_path, result))
    gating = [one for one in result["contrasts"] if one["gating"] and one["available"]]
    assert set(row["metrics"]) == {comparing.metric_key(one) for one in gating}
    for one in gating:
        kept = row["metrics"][comparing.metric_key(one)]
        assert [look["at_s"] for look in kept["looks"]] == [
            10.0 * look["generations"] for look in one["looks"]
        ]
    assert row["failed"] == ""
    assert row["design"]["generations"] == 8


def test_any_alarm_counts_also_of_one_endpoint(tmp_path, result):
    for one in result["contrasts"]:
        one["detected"] = False
    assert not row_of(ran(tmp_path / "a", result))["alarm"]
    extra = next(one for one in result["contrasts"] if one["available"] and one["gating"])
    result["contrasts"].append(extra | {"endpoint": "GET /a", "detected": True})
    row = row_of(ran(tmp_path / "b", result))
    assert row["alarm"]
    assert f"{extra['metric']} GET /a" in row["metrics"]


def test_a_run_without_a_result_is_kept_with_its_error(tmp_path):
    row = row_of(ran(tmp_path, None, exit_code=3, stderr="progress\nerror: the disk is full\nremedy: room\n"))
    assert (row["verdict"], row["metrics"]) == ("none", {})
    assert row["failed"] == "exit code 3: error: the disk is full"


def test_a_run_that_a_check_made_invalid_is_failed_unless_it_is_quiet_gaps(tmp_path, result):
    result["run"]["status"], result["verdict"]["reasons"] = "invalid", ["journeys in step: 20%"]
    result["checks"] = [{"name": "journeys in step", "status": "fail"}]
    assert row_of(ran(tmp_path / "a", result))["failed"] == "journeys in step: 20%"
    result["checks"] = [{"name": "quiet gaps", "status": "fail"}]
    assert row_of(ran(tmp_path / "b", result))["failed"] == ""


def test_settings_are_the_method_and_not_what_was_compared():
    fields = msgspec.to_builtins(make_plan(8))
    same = fields | {"seed": 9, "size": "large", "generation_s": 7.0, "variants": [], "command": "other"}
    assert Plan(fields).settings == Plan(same).settings
    assert Plan(fields).settings != Plan(fields | {"warm_s": 2.0}).settings
    assert Plan(fields).settings != Plan(fields | {"a_new_method": True}).settings
    assert Plan().settings == ""


def test_runs_that_saw_other_requests_share_settings_with_and_without_controls_do_not():
    def settings(*, controls=False, **changes):
        variants = with_controls(EXPERIMENT.variants, in_flight=1, lanes=("pair",)) if controls else ()
        experiment = replace(EXPERIMENT, variants=variants or EXPERIMENT.variants)
        return Plan(msgspec.to_builtins(plan_of(experiment, "", Setting(**changes)))).settings

    quick = settings(request_s=0.004, turnover_s=1.0)
    assert settings(request_s=0.05, turnover_s=4.0, noise=Noise(source="measured today")) == quick
    assert settings(request_s=0.05, controls=True) != quick
    assert settings(request_s=0.004, controls=True) == settings(request_s=0.05, controls=True)
    assert settings(tracks=2) != quick


def test_the_budget_is_the_shipped_one_unless_told():
    assert Comparison(BENCH, "size=0", "size=0", ("--budget", "45s")).budget_s == 45.0
    assert Comparison(Path(BENCH), "size=0", "size=0").budget_s == 120.0
