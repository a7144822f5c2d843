"""A folder of runs as a site: what it lists, what it refuses, and that nothing in it can act."""

import json
import re

import pytest
from msgspec.structs import replace

from loadstone.errors import ConfigurationError
from loadstone.record.folder import save_result
from loadstone.report.library import build_site, find_results

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
    assert [one.result.run.id for one in shelved] == ["run-3", "run-2", "run-1"]
    assert not skipped
    for one in shelved:
        assert f'href="{one.page}"' in text
        assert one.result.run.id in (site / one.page).read_text()


def test_an_experiment_that_was_run_again_has_a_trend_and_others_have_none(reports, tmp_path):
    _, text, shelved, _ = build(reports, tmp_path)
    trends = text[text.index('id="trends"') :]
    titles = re.findall(r"<h3>(.*?)</h3>", trends)
    assert titles == [shelved[1].result.experiment.title]
    assert trends.count('class="whisker improved"') >= 2


def test_what_two_runs_must_share_is_carried_for_each(reports, tmp_path, results):
    shelve(reports, results.improved(), 4, size="huge")
    _, text, _, _ = build(reports, tmp_path)
    data = json.loads(DATA.search(text)[1])
    assert [one["alike"]["size"] for one in data] == ["huge", *[data[1]["alike"]["size"]] * 3]
    assert data[0]["alike"]["size"] != data[1]["alike"]["size"]
    assert all(one["contrasts"] and one["alike"]["machine"] for one in data)


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
