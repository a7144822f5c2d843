"""Load runs and searches for capacity in the formats of other tools, read back by readers not ours."""

import csv
import io
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from capacity_simulation import MACHINE, experiment, search
from click.testing import CliRunner
from load_runs import BLOCK, PLAN, judged, recording, second
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from loadstone.cli.main import cli
from loadstone.record.capacity_result import save_capacity
from loadstone.report.exports import FORMATS, capacity, load
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity

HOSTILE = '=orm<img src=x onerror="alert(1)">\x00\u202e'
AT = "2026-03-01T10:00:00+00:00"


def kept():
    return judged(recording(*[second(100)] * 4))


def broken():
    plan = replace(PLAN, thresholds=["p50<200ms", "errors<1%", "GET /no: p50<1s"])
    return judged(
        recording(second(90, TIMEOUT=10), {}, second(90, 300), second(90, 900)),
        plan,
        replace(BLOCK, not_sent=3),
    )


def hostile():
    return judged(recording(*[second(100)] * 4), replace(PLAN, title=HOSTILE, variant=HOSTILE))


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Two variants, of which the second serves less."""
    folder = tmp_path_factory.mktemp("run")
    labels = ["orm=prefetch", "orm=naive"]
    how = {"capacity": lambda label, _: 200.0 if label == labels[0] else 60.0}
    search(folder, experiment(folder, labels, repeats=3), **how)
    result = replace(judge_capacity(read_sealed_capacity(folder), ("id", AT), MACHINE), finished_at=AT)
    save_capacity(folder, result)
    return folder, result


def rows_of(result):
    return list(csv.DictReader(io.StringIO(FORMATS["csv"].render(result))))


def cases_of(result):
    suite = ET.fromstring(FORMATS["junit"].render(result)).find("testsuite")  # noqa: S314 - our own
    cases = {
        (case.get("classname").removeprefix("loadstone."), case.get("name")): next(
            (one.tag for one in case if one.tag != "system-out"), "passed"
        )
        for case in suite.iter("testcase")
    }
    assert len(cases) == int(suite.get("tests")), "names of cases are unique"
    return cases


def samples_of(result):
    text = FORMATS["openmetrics"].render(result)
    return [one for family in text_string_to_metric_families(text) for one in family.samples]


@pytest.mark.parametrize("make", [kept, broken, hostile])
def test_every_load_run_can_be_read_back(make):
    result = make()
    assert all(set(row) == set(load.COLUMNS) for row in rows_of(result))
    assert cases_of(result)
    assert samples_of(result)
    assert not any(row["variant"].startswith("=") for row in rows_of(result))


def test_junit_fails_the_thresholds_that_broke_and_skips_what_could_not_be_told():
    cases = cases_of(broken())
    assert cases["load", PLAN.title] == "failure"
    assert cases["thresholds", "p50<200ms"] == "failure"
    assert cases["thresholds", "GET /no: p50<1s"] == "skipped"
    assert {outcome for (group, _), outcome in cases_of(kept()).items() if group != "checks"} == {"passed"}


def test_a_load_run_of_which_a_threshold_is_open_does_not_pass():
    plan = replace(PLAN, thresholds=["errors<1%", "GET /no: p50<1s"])
    assert cases_of(judged(recording(*[second(100)] * 4), plan))["load", PLAN.title] == "skipped"


def test_an_unbelievable_load_run_is_an_error():
    cases = cases_of(judged(recording(*[second(100)] * 4), lag_us=900_000))
    assert cases["load", PLAN.title] == cases["checks", "lag"] == "error"


def test_csv_has_a_load_runs_endpoints_seconds_and_thresholds_in_full():
    result = broken()
    rows = rows_of(result)
    (overall,) = [
        row for row in rows if (row["kind"], row["endpoint"], row["time"]) == ("endpoint", "", "response")
    ]
    assert float(overall["mean_us"]) == result.overall.response.mean_us
    assert float(overall["p50_us"]) == dict(result.overall.response.values)[0.5]
    seconds = [row for row in rows if row["kind"] == "second"]
    assert [int(row["requests"]) for row in seconds] == [one.requests for one in result.seconds]
    assert [row["status"] for row in rows if row["kind"] == "threshold"] == [
        one.status for one in result.thresholds
    ]


def test_openmetrics_puts_seconds_at_their_times_and_totals_at_the_end():
    result = kept()
    end = datetime.fromisoformat(result.finished_at).timestamp()
    done = [
        one
        for one in samples_of(result)
        if one.name == "loadstone_load_requests_per_second" and one.labels["which"] == "all"
    ]
    assert [one.value for one in done] == [one.requests for one in result.seconds]
    assert [round(float(one.timestamp) - end) for one in done] == [-3, -2, -1, 0]
    (total,) = [one for one in samples_of(result) if one.name == "loadstone_requests_total"]
    assert (total.value, float(total.timestamp)) == (result.overall.requests, end)
    told = [one for one in samples_of(result) if one.name == "loadstone_threshold" and one.value]
    assert {one.labels["status"] for one in told} == {"kept"}


def test_every_search_can_be_read_back_number_by_number(searched):
    _, result = searched
    rows = rows_of(result)
    assert all(set(row) == set(capacity.COLUMNS) for row in rows)
    assert [float(row["rps"]) for row in rows if row["kind"] == "capacity"] == [
        one.rps for one in result.estimates
    ]
    assert sum(row["kind"] == "window" for row in rows) == len(result.windows)
    known = {
        (one.labels["variant"], one.labels["which"]): one.value
        for one in samples_of(result)
        if one.name == "loadstone_capacity_requests_per_second"
    }
    for one in result.estimates:
        assert known[one.label, "estimate"] == one.rps
        assert known[one.label, "low"] == one.low_rps


def test_junit_fails_a_capacity_that_fell(searched):
    cases = cases_of(searched[1])
    assert cases["capacities", "capacity of orm=naive"] == "passed"
    assert cases["gains", "orm=naive against the baseline"] == "failure"


def test_the_command_exports_a_search_by_its_folder_and_by_its_file(searched):
    folder, result = searched
    for run in (folder, folder / "capacity.json"):
        ran = CliRunner().invoke(cli, ["report", "export", str(run), "--as", "csv"])
        assert ran.exit_code == 0, ran.output
        assert ran.stdout == FORMATS["csv"].render(result).replace("\r\n", "\n")
