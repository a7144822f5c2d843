"""A folder of runs as a site: what it lists, what it refuses, and that nothing in it can act."""

import dataclasses
import json
import re

import msgspec
import pytest
from capacity_simulation import MACHINE, experiment, search
from load_runs import PLAN, judged, recording, second
from matrices import PLAN as MATRIX
from matrices import TOLD, results_of
from msgspec.structs import replace

from loadstone.errors import ConfigurationError
from loadstone.record.capacity_result import save_capacity
from loadstone.record.folder import LOAD_RESULT, MATRIX_RESULT, save_result
from loadstone.report import card_diff
from loadstone.report.cards import read_card
from loadstone.report.library import build_site, find_results
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity
from loadstone.verdict.matrix import judge_matrix

DATA = re.compile(r'<script type="application/json" id="runs">(.*?)</script>', re.DOTALL)


def shelve(folder, result, number, **experiment):
    run = replace(result.run, id=f"run-{number}", started_at=f"2026-03-0{number}T10:00:00Z")
    path = folder / f"run-{number}"
    path.mkdir(parents=True)
    save_result(path, replace(result, run=run, experiment=replace(result.experiment, **experiment)))
    return path


@pytest.fixture
def reports(tmp_path, results):
    folder = tmp_path / "reports"
    for number, made in enumerate((results.improved(), results.improved(), results.inconclusive()), start=1):
        shelve(folder, made, number)
    return folder


def build(reports, tmp_path):
    site = tmp_path / "site"
    shelved, skipped = build_site(find_results(reports), site)
    text = (site / "index.html").read_text()
    return site, text, shelved, skipped


def test_every_run_is_listed_newest_first_and_keeps_its_page(reports, tmp_path):
    site, text, shelved, skipped = build(reports, tmp_path)
    assert [one.card.id for one in shelved] == ["run-3", "run-2", "run-1"]
    assert not skipped
    for one in shelved:
        assert f'href="{one.page}"' in text
        assert one.card.id in (site / one.page).read_text()


def test_an_experiment_that_was_run_again_has_a_trend_and_others_have_none(reports, tmp_path):
    _, text, shelved, _ = build(reports, tmp_path)
    trends = text[text.index('id="trends"') :]
    titles = re.findall(r"<h3>(.*?)</h3>", trends)
    assert titles == [shelved[1].card.title]
    assert trends.count('class="whisker improved"') >= 2


def test_what_two_runs_must_share_is_carried_for_each(reports, tmp_path, results):
    shelve(reports, results.improved(), 4, size="huge")
    _, text, _, _ = build(reports, tmp_path)
    data = json.loads(DATA.search(text)[1])
    assert [one["alike"]["size"] for one in data] == ["huge", *[data[1]["alike"]["size"]] * 3]
    assert data[0]["alike"]["size"] != data[1]["alike"]["size"]
    assert all(one["measures"] and one["alike"]["machine"] for one in data)


def test_a_damaged_folder_and_a_copy_are_left_out_and_named(reports, tmp_path):
    (reports / "broken").mkdir()
    (reports / "broken" / "result.json").write_text("{")
    copy = reports / "zz-copy"
    copy.mkdir()
    (copy / "result.json").write_bytes((reports / "run-1" / "result.json").read_bytes())
    _, text, shelved, skipped = build(reports, tmp_path)
    assert len(shelved) == 3
    assert [one.name for one in skipped] == ["broken", "zz-copy"]
    assert "zz-copy" in text


def test_without_a_run_there_is_one_error(tmp_path):
    with pytest.raises(ConfigurationError, match="no run to show"):
        build_site(find_results(tmp_path), tmp_path / "site")


def test_names_of_others_cannot_act(tmp_path, results):
    reports = tmp_path / "reports"
    for number in (1, 2):
        shelve(reports, results.hostile(), number)
    _, text, _, _ = build(reports, tmp_path)
    assert "<script>alert" not in text
    assert "<img" not in text
    json.loads(DATA.search(text)[1])


def test_the_same_runs_make_the_same_site(reports, tmp_path):
    first = build(reports, tmp_path / "a")[1]
    assert build(reports, tmp_path / "b")[1] == first


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory, results):
    """Two runs of every kind, and one load run at another rate."""
    reports = tmp_path_factory.mktemp("reports")
    for number in (1, 2):
        shelve(reports, results.improved(), number)
        for name, rate in (("load", "100"), *([("other", "200")] if number == 1 else [])):
            folder = reports / f"{name}-{number}"
            folder.mkdir()
            made = judged(recording(*[second(100, 10 * number)] * 4), replace(PLAN, rate=rate))
            told = replace(made, id=folder.name, started_at=f"2026-03-0{number}T11:00:00Z")
            (folder / LOAD_RESULT).write_bytes(msgspec.json.encode(told))
        folder = reports / f"capacity-{number}"
        folder.mkdir()
        search(folder, experiment(folder, ["orm=naive"], repeats=2), capacity=lambda _label, _n: 60.0)
        when = f"2026-03-0{number}T12:00:00Z"
        save_capacity(folder, judge_capacity(read_sealed_capacity(folder), (folder.name, when), MACHINE))
        folder = reports / f"matrix-{number}"
        folder.mkdir()
        told = dataclasses.replace(TOLD, id=folder.name, started_at=f"2026-03-0{number}T13:00:00Z")
        made = judge_matrix(MATRIX, results_of(MATRIX), told)
        (folder / MATRIX_RESULT).write_bytes(msgspec.json.encode(made))
    return reports


def test_every_kind_of_run_is_listed_and_has_its_trend(every_kind, tmp_path):
    site, text, shelved, skipped = build(every_kind, tmp_path)
    assert not skipped
    kinds = [one.card.kind for one in shelved]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {"comparison": 2, "load": 3, "capacity": 2, "matrix": 2}
    for kind in counts:
        assert f"<option>{kind}</option>" in text
    trends = text[text.index('id="trends"') :]
    assert len(re.findall(r"<h3>", trends)) == 4
    assert "p95 response time, all endpoints" in trends
    assert all((site / one.page).read_text().startswith("<!doctype html>") for one in shelved)


@pytest.mark.parametrize("kind", ["load", "capacity", "matrix"])
def test_two_runs_of_a_kind_stand_side_by_side(every_kind, kind):
    first, other = (read_card(every_kind / f"{kind}-{number}") for number in (1, 2))
    told = card_diff.as_dict(first, other)
    assert told["kind"] == kind
    assert told["measures"]
    assert all(one["first"] and one["second"] for one in told["measures"])
    overlaps = {one["intervals_overlap"] for one in told["measures"]}
    assert overlaps == ({None} if kind == "load" else {True})


def test_without_intervals_the_levels_are_told_and_no_more(every_kind):
    first, other = (read_card(every_kind / f"load-{number}") for number in (1, 2))
    found = card_diff.pairs(first, other)
    (p95,) = [one for one in found if one.either.key == ("p95 response time", "", "")]
    assert p95.agree is None
    assert p95.ratio == pytest.approx(0.99, abs=0.02)  # 10.1 ms to 20.1 ms, a lag of 0.1 ms included


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [("load-1", "other-1", "offered"), ("load-1", "capacity-1", "kind"), ("matrix-1", "run-1", "kind")],
)
def test_what_is_unlike_is_refused_by_name(every_kind, one, other, differs):
    with pytest.raises(ConfigurationError, match=f"differ in {differs}") as refused:
        card_diff.pairs(read_card(every_kind / one), read_card(every_kind / other))
    assert refused.value.cause
