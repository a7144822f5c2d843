"""Series over runs: chained ratios, robust to another machine, with their change points."""

import math
import random

import pytest
import results
from msgspec.structs import replace

from loadstone.errors import ConfigurationError
from loadstone.record.history import HistoryRow, append, read, rows_of
from loadstone.verdict.history import make_series


def row(index, base, effect, **more):
    draw = more.pop("noise", 0.0)
    estimate = math.expm1(effect + draw)
    level = 10_000.0 if index < 100 else 6_000.0  # another machine, from the hundredth run on
    words = {
        "run": f"run-{index:03}",
        "at": f"2026-01-01T{index // 60:02}:{index % 60:02}:00",
        "experiment": "browse.py small pair",
        "machine": "one" if index < 100 else "two",
        "base": base,
        "head": f"c{index:03}",
        "subject": f"commit {index}",
        "metric": "latency_mean",
        "endpoint": "",
        "unit": "us",
        "kind": "ratio",
        "before": level,
        "after": level * (1 + estimate),
        "estimate": estimate,
        "low": estimate - 0.02,
        "high": estimate + 0.02,
        "p_value": 0.5,
    }
    return HistoryRow(**(words | more))


def history(changes=((70, 0.04), (140, -0.03)), sd=0.01, seed=1):
    """200 runs against a release; from run 120 on against a newer one, which is commit 110."""
    draw = random.Random(seed)

    def level(index):
        return sum(change for at, change in changes if index >= at)

    return [
        row(
            index,
            "v1" if index < 120 else "c110",
            level(index) - (0.0 if index < 120 else level(110)),
            noise=draw.gauss(0.0, sd),
        )
        for index in range(200)
    ]


def test_two_planted_changes_of_200_runs_are_found_across_a_new_base_and_a_new_machine():
    (series,) = make_series(history())
    assert [abs(one.index - at) <= 2 for one, at in zip(series.changes, (70, 140), strict=True)] == [True] * 2
    first, second = series.changes
    assert first.change == pytest.approx(0.04, abs=0.01)
    assert second.change == pytest.approx(-0.03, abs=0.01)
    assert all(point.joined for point in series.points)


def test_a_history_without_changes_seldom_shows_one():
    """40 histories at 1%: four alarms are chance in fewer than one of a thousand tests."""
    alarms = sum(bool(make_series(history((), seed=seed))[0].changes) for seed in range(40))
    assert alarms <= 3


def test_a_change_together_with_a_new_base_is_found_at_the_joint():
    (series,) = make_series(history(((120, 0.08),)))
    assert [one.index for one in series.changes] == [120]
    assert series.changes[0].low < 0.08 < series.changes[0].high


def test_a_base_that_nobody_measured_begins_a_new_chain_and_is_told():
    rows = [row(0, "v1", 0.1), row(1, "v2", 0.2)]
    (series,) = make_series(rows)
    assert [point.joined for point in series.points] == [True, False]
    assert series.points[1].level == pytest.approx(0.3)


def test_where_each_run_follows_the_one_before_every_run_is_a_test_of_its_own():
    """A sum of ratios would be a random walk, in which levels move by themselves."""
    rows = [
        row(index, f"c{index - 1:03}", 0.05 if index == 30 else 0.0, p_value=1e-6 if index == 30 else 0.4)
        for index in range(60)
    ]
    (series,) = make_series(rows)
    assert series.stepwise
    assert [one.index for one in series.changes] == [30]


def test_metrics_and_endpoints_are_series_of_their_own_and_can_be_chosen():
    rows = [*history()[:5], row(0, "v1", 0.0, endpoint="GET /a"), row(0, "v1", 0.0, metric="cpu")]
    assert len(make_series(rows)) == 3
    assert [one.endpoint for one in make_series(rows, endpoints=["GET /a"])] == ["GET /a"]
    assert [one.metric for one in make_series(rows, metrics=["cpu"])] == ["cpu"]


@pytest.mark.parametrize("name", ["history.sqlite", "history.jsonl"])
def test_a_run_is_kept_once_and_read_in_the_order_of_time(tmp_path, name):
    path = tmp_path / "perf" / name
    rows = history()[:5]
    assert append(path, rows[3:]) == 2
    assert append(path, rows) == 3
    assert read(path) == rows


@pytest.mark.parametrize("name", ["history.sqlite", "history.jsonl"])
def test_a_store_that_is_not_there_or_none_is_wrong_use(tmp_path, name):
    with pytest.raises(ConfigurationError, match="there is no history"):
        read(tmp_path / name)
    (tmp_path / name).write_text("neither\n")
    with pytest.raises(ConfigurationError, match="is no history that can be used"):
        read(tmp_path / name)


def test_a_result_gives_its_contrasts_and_exact_facts_and_an_invalid_one_nothing():
    rows = rows_of(results.improved())
    mean = next(one for one in rows if one.metric == "latency_mean" and not one.endpoint)
    assert (mean.kind, mean.base) == ("ratio", "5f8eddb")
    queries = next(one for one in rows if one.metric == "queries")
    assert (queries.kind, queries.before, queries.after) == ("exact", 61.0, 2.0)
    assert rows_of(results.invalid()) == []
    assert rows_of(replace(results.improved(), contrasts=[], facts=[])) == []
