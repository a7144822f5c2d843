"""A result in the formats of other tools, read back by readers that are not ours."""

import csv
import io
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
import results
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from loadstone.report.exports import FORMATS
from loadstone.report.exports.table import COLUMNS

MADE = [
    results.improved, results.regressed, results.equivalent, results.inconclusive, results.invalid,
    results.partial, results.p99_unavailable, results.probed, results.hostile, results.three_variants,
    results.controlled,
]  # fmt: skip


def timed(result):
    """Give every generation the time at which it ended, a second apart."""
    begin = datetime.fromisoformat(result.run.started_at).astimezone(UTC)
    ended = [
        replace(one, ended_at=(begin + timedelta(seconds=10 + place)).isoformat(timespec="milliseconds"))
        for place, one in enumerate(result.generations)
    ]
    return replace(result, generations=ended)


def rows_of(result):
    return list(csv.DictReader(io.StringIO(FORMATS["csv"].render(result))))


def cases_of(result):
    suite = ET.fromstring(FORMATS["junit"].render(result)).find("testsuite")  # noqa: S314 - our own
    found = {}
    for case in suite.iter("testcase"):
        outcome = next((one.tag for one in case if one.tag != "system-out"), "passed")
        found[case.get("classname"), case.get("name")] = outcome
    return suite, found


def samples_of(result):
    text = FORMATS["openmetrics"].render(result)
    return [one for family in text_string_to_metric_families(text) for one in family.samples]


@pytest.mark.parametrize("make", MADE)
def test_every_kind_of_result_can_be_read_back(make):
    result = timed(make())
    assert all(set(row) == set(COLUMNS) for row in rows_of(result))
    suite, cases = cases_of(result)
    assert int(suite.get("tests")) == sum(1 for _ in suite.iter("testcase")) > 0
    for outcome, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.get(name)) == len(list(suite.iter(outcome)))
    assert len(cases) == int(suite.get("tests")), "names of cases are unique"
    assert samples_of(result)


def test_csv_has_every_number_in_full():
    result = results.improved()
    rows = {(row["metric"], row["endpoint"]): row for row in rows_of(result) if row["kind"] != "exact"}
    assert len(rows) == len(result.contrasts)
    for one in result.contrasts:
        row = rows[one.metric, one.endpoint or ""]
        assert row["verdict"] == (one.verdict or "")
        assert row["gating"] == str(one.gating).lower()
        if one.effect is not None:
            assert [float(row[name]) for name in ("before", "after", "estimate", "low", "high")] == [
                one.before, one.after, one.effect.estimate, one.effect.low, one.effect.high,
            ]  # fmt: skip
    assert sum(row["kind"] == "exact" for row in rows_of(result)) == len(result.facts)


def test_csv_holds_no_formula():
    result = results.improved()
    evil = replace(result.contrasts[0], endpoint='=HYPERLINK("http://x")')
    rows = rows_of(replace(result, contrasts=[evil]))
    assert rows[0]["endpoint"].startswith("'=")


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (results.improved, "passed"),
        (results.equivalent, "passed"),
        (results.regressed, "failure"),
        (results.inconclusive, "skipped"),
        (results.invalid, "error"),
    ],
)
def test_junit_fails_what_regressed_and_never_passes_what_is_open(make, outcome):
    result = make()
    _, cases = cases_of(result)
    assert cases["loadstone.verdict", result.experiment.title] == outcome


def test_junit_has_a_case_for_each_deciding_metric_with_its_own_outcome():
    result = results.regressed()
    _, cases = cases_of(result)
    gate = [outcome for (group, _), outcome in cases.items() if group == "loadstone.gate"]
    told = {"regressed": "failure", "inconclusive": "skipped", "invalid": "error", None: "skipped"}
    gating = [one for one in result.contrasts if one.gating]
    assert sorted(gate) == sorted(told.get(one.verdict, "passed") for one in gating)
    assert "failure" in gate


def test_junit_is_well_formed_whatever_names_hold():
    text = FORMATS["junit"].render(results.hostile())
    ET.fromstring(text)  # noqa: S314 - our own
    assert "\x00" not in text


def test_openmetrics_has_levels_at_the_end_of_each_generation_in_base_units():
    result = timed(results.improved())
    mean = next(one for one in result.contrasts if one.metric == "latency_mean" and one.endpoint is None)
    found = [
        one
        for one in samples_of(result)
        if one.name == "loadstone_latency_mean_seconds" and one.labels["endpoint"] == "all"
    ]
    own = [one for one in found if one.labels["variant"] == mean.variant]
    for generation, sample in zip(result.generations, own, strict=False):
        assert float(sample.timestamp) == datetime.fromisoformat(generation.ended_at).timestamp()
        assert sample.value == pytest.approx(generation.levels["latency_mean"][mean.variant] / 1e6)
    assert own[-1].value == pytest.approx(mean.after / 1e6)
    assert {one.labels["run"] for one in found} == {result.run.id}


def test_openmetrics_keeps_generations_that_ended_in_the_same_millisecond():
    result = timed(results.improved())
    first, second, *rest = result.generations
    result = replace(result, generations=[first, replace(second, ended_at=first.ended_at), *rest])
    mean = next(one for one in result.contrasts if one.metric == "latency_mean" and one.endpoint is None)
    kept = [
        one.value
        for one in samples_of(result)
        if one.name == "loadstone_latency_mean_seconds"
        and one.labels["endpoint"] == "all"
        and one.labels["variant"] == mean.variant
    ]
    levels = [one.levels["latency_mean"][mean.variant] / 1e6 for one in result.generations]
    assert kept == pytest.approx([*levels, mean.after / 1e6])


def test_openmetrics_tells_effects_look_by_look():
    result = timed(results.improved())
    mean = next(one for one in result.contrasts if one.metric == "latency_mean" and one.endpoint is None)
    low = [
        one.value
        for one in samples_of(result)
        if one.name == "loadstone_effect"
        and (one.labels["metric"], one.labels["endpoint"], one.labels["bound"])
        == ("latency_mean", "all", "low")
    ]
    assert low[: len(mean.looks)] == pytest.approx([look.effect.low for look in mean.looks])
    assert low[-1] == pytest.approx(mean.effect.low)


def test_openmetrics_marks_one_verdict():
    marked = [one for one in samples_of(results.regressed()) if one.name == "loadstone_verdict" and one.value]
    assert [one.labels["verdict"] for one in marked] == ["regressed"]


def test_openmetrics_of_a_run_that_kept_no_times_has_its_end_alone():
    result = results.improved()
    end = datetime.fromisoformat(result.run.finished_at).timestamp()
    assert {float(one.timestamp) for one in samples_of(result)} == {end}
