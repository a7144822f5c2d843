"""Micro-benchmarks by the statistics of the macro lanes."""

import json
import math

import numpy as np
import pytest

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.lanes import counting
from loadstone.lanes.micro import read_folders
from loadstone.record.micro import MicroFinding, merge, read_benchmarks
from loadstone.stats.order import start_plan
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.micro import judge_micro, verdict_of, with_instructions

GENERATIONS = 12


def tables(effects, *, sd=0.003, order_effect=0.02, seed=1):
    """Medians of 100 µs with a known log effect; who starts first is slower."""
    draw = np.random.default_rng(seed)
    positions = start_plan(GENERATIONS, 2, 1, "micro").positions
    levels = {}
    for name, effect in effects.items():
        noise = draw.normal(0.0, sd / math.sqrt(2), (GENERATIONS, 2))
        level = np.array([0.0, effect]) + noise + order_effect * (positions == 0)
        levels[name] = 1e-4 * np.exp(level)
    return levels, positions


def judged(effects, **more):
    levels, positions = tables(effects, **more)
    found = judge_micro(levels, {}, positions, margin=0.02, alpha=0.01)
    return {one.name: one for one in found}


def test_a_change_is_found_among_many_that_do_not_change():
    found = judged({"slow": math.log(1.1), **{f"same {number}": 0.0 for number in range(15)}})
    assert found["slow"].verdict is Verdict.REGRESSED
    assert found["slow"].effect.low < 0.1 < found["slow"].effect.high
    assert {one.verdict for name, one in found.items() if name != "slow"} == {Verdict.EQUIVALENT}
    verdict, fails = verdict_of(list(found.values()), 0.02)
    assert (verdict, fails) == (Verdict.REGRESSED, True)


def test_who_starts_first_is_modelled_and_does_not_count():
    found = judged({"same": 0.0}, order_effect=0.2)
    assert abs(found["same"].effect.estimate) < 0.01


def test_a_family_without_changes_seldom_shows_one():
    """100 families of ten at 1%: six alarms are chance in fewer than one of a hundred tests."""
    alarms = 0
    for seed in range(100):
        found = judged({str(number): 0.0 for number in range(10)}, seed=seed)
        alarms += any(one.q_value <= 0.01 for one in found.values())
    assert alarms <= 5


def test_a_benchmark_of_one_side_alone_has_no_verdict():
    levels, positions = tables({"new": 0.0})
    levels["new"][:, 0] = np.nan
    (found,) = judge_micro(levels, {"new": "orm"}, positions, margin=0.02, alpha=0.01)
    assert (found.verdict, found.why, found.group) == (None, "did not run on base", "orm")


def write(path, medians):
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "machine_info": {},
        "benchmarks": [
            {
                "fullname": f"benchmarks/micro/test_parts.py::{name}",
                "group": "orm",
                "stats": {"median": median, "mean": median, "data": [median, median * 1.1, median * 0.9]},
            }
            for name, median in medians.items()
        ],
    }
    path.write_text(json.dumps(told))


def test_files_of_pytest_benchmark_are_read_in_pairs_and_written_together(tmp_path):
    for number in range(6):
        write(tmp_path / "base" / f"{number}.json", {"a": 1e-3 * (1 + 0.001 * number)})
        write(tmp_path / "head" / f"{number}.json", {"a": 2e-3 * (1 - 0.001 * number)})
    found = read_folders(tmp_path / "base", tmp_path / "head")
    assert found.levels["test_parts.py::a"].shape == (6, 2)
    assert found.groups == {"test_parts.py::a": "orm"}
    whole = merge(found.files[0])
    stats = whole["benchmarks"][0]["stats"]
    assert stats["rounds"] == 18
    assert stats["min"] == pytest.approx(0.9e-3)


def test_what_cannot_be_compared_is_refused(tmp_path):
    write(tmp_path / "base" / "1.json", {"a": 1.0})
    write(tmp_path / "head" / "1.json", {"a": 1.0})
    with pytest.raises(ConfigurationError, match="1 and 1 files cannot be compared"):
        read_folders(tmp_path / "base", tmp_path / "head")
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(MeasurementError, match="no file of pytest-benchmark"):
        read_benchmarks(tmp_path / "none.json")


def counted(before, after, tolerance=0.005):
    finding = MicroFinding(name="one", group="")
    (found,) = with_instructions([finding], {"one": (before, after)}, tolerance)
    return found.instructions


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([1000, 1000], [1004, 1004], "same"),
        ([1000, 1000], [1010, 1010], "more"),
        ([1000, 1002], [980, 981], "fewer"),
        ([1000, 1030], [1020, 1020], "same"),
        ([1000, 1008], [1010, 1010], "same"),
    ],
)
def test_counts_differ_beyond_the_tolerance_and_their_own_spread(before, after, says):
    assert counted(before, after).says == says


@pytest.mark.parametrize("sides", [([], [1.0]), ([0.0], [1.0])])
def test_what_was_not_counted_has_no_opinion(sides):
    assert counted(*sides) is None


def test_without_valgrind_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(counting.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(counting.shutil, "which", lambda _: None)
    assert "apt-get install valgrind" in counting.why_not()
    monkeypatch.setattr(counting.platform, "machine", lambda: "aarch64")
    assert "x86-64 alone" in counting.why_not()


def test_dumps_are_read_by_the_number_that_they_bear(tmp_path):
    for suffix, number, totals in ((1, 1, 50), (2, 0, 20)):
        text = f"desc: Trigger: Client Request: loadstone {number}\n\nevents: Ir\ntotals: {totals}\n"
        (tmp_path / f"out.{suffix}").write_text(text)
    (tmp_path / "out.3").write_text("desc: Trigger: Program termination\ntotals: 9\n")
    listed = [{"name": "a/b.py::one", "calls": 5}, {"name": "a/b.py::two", "calls": 5}]
    assert counting.read_counts(tmp_path / "out", listed) == {"b.py::one": 4.0, "b.py::two": 10.0}
