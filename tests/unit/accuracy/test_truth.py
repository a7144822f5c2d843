"""The truth of a run: found in the app's account, and what it should have done to the estimate."""

import json
import math

import msgspec
import numpy as np
import pytest
import truth
from runs import Truth, make_plan, make_run

from loadstone.record.journal import Journal, PlanLine

COLUMNS = (
    "begin_ns", "cpu_ns", "added_cpu_ns", "added_wall_ns", "later_cpu_ns", "later_wall_ns",
    "backend_cpu_ns",
)  # fmt: skip
ENTRY = np.dtype([(name, "<i8") for name in COLUMNS])
SIDES = ({"size": "0"}, {"size": "2"})
WARM = 7


@pytest.fixture
def folder(tmp_path):
    for name in ("run", "accounts"):
        (tmp_path / name).mkdir()
    return tmp_path


def sealed_run(folder, *, added_us=0.0, later_us=0.0, later_requests=0, charged=0.0, seed=1):
    """Write a run of equal variants and the accounts of its servers; *after* bears the cost."""
    plan = make_plan(6)
    variants = [
        msgspec.structs.replace(variant, toggles=dict(choices) | {"unrelated": "x"})
        for variant, choices in zip(plan.variants, SIDES, strict=True)
    ]
    plan = msgspec.structs.replace(plan, variants=variants)
    journal = Journal(folder / "run")
    journal.append(PlanLine(plan=plan))
    rng = np.random.default_rng(seed)
    for line, rows in make_run(plan, Truth(noise=0.0, start_effect=0.0, pairs=300, seed=seed)):
        after = rows["variant"] == 1
        rows["service_us"][after] += int(added_us)
        rows["start_us"] = np.cumsum(rng.integers(8_000, 20_000, rows.size))
        cpu_s = (added_us + later_us) * 1e-6 * int(after.sum())
        spent = msgspec.structs.replace(line.cpu[1], server_s=line.cpu[1].server_s + cpu_s)
        for side, used in enumerate((line.cpu[0], spent)):
            own = rows["variant"] == side
            rows["cpu_us"][own] = charged * 1e6 * (used.server_s + used.database_s) / own.sum()
        chunk = journal.seal(rows.tobytes())
        journal.append(msgspec.structs.replace(line, chunk=chunk, cpu=[line.cpu[0], spent]))
        for side, choices in enumerate(SIDES):
            own = rows[rows["variant"] == side]
            entries = np.zeros(own.size + WARM + later_requests, dtype=ENTRY)
            begin = rng.integers(1, 2**40)
            entries["begin_ns"][:WARM] = begin + np.arange(WARM)
            jitter = rng.integers(0, 300_000, own.size)
            entries["begin_ns"][WARM : WARM + own.size] = begin + 10**9 + own["start_us"] * 1000 + jitter
            entries["begin_ns"][WARM + own.size :] = begin + 10**12 + np.arange(later_requests)
            entries["added_wall_ns"] = entries["added_cpu_ns"] = 1000 * int(added_us if side else 0)
            entries["later_cpu_ns"] = 1000 * int(later_us if side else 0)
            write_account(folder / "accounts" / f"{line.index}-{side}.account", choices, entries)
    journal.close()
    return folder / "run", folder / "accounts"


def write_account(path, choices, entries):
    header = json.dumps({"columns": COLUMNS, "choices": choices}).encode().ljust(truth.HEADER - 1) + b"\n"
    unused = np.zeros(50, dtype=ENTRY)
    path.write_bytes(header + entries.tobytes() + unused.tobytes())


def test_a_known_cost_is_found_in_latency_and_cpu(folder):
    """Latencies are lognormal about 14 ms, CPU is 6 ms a request: 300 us are 2% and 5%."""
    found = truth.measure(*sealed_run(folder, added_us=300.0), "spin", 6)
    assert found["added_wall_us"] == pytest.approx(300.0)
    assert found["added_cpu_us"] == pytest.approx(300.0)
    assert found["cpu"] == pytest.approx(0.05, rel=0.01)
    bare_us = 300.0 / found["mean"]
    assert 12_000 < bare_us < 16_000
    assert found["latency_mean"] == pytest.approx(found["mean"], rel=0.05)
    assert found["requests"] == 6 * 300


def test_cost_after_the_answer_is_cpu_alone(folder):
    found = truth.measure(*sealed_run(folder, later_us=120.0), "after", 6)
    assert found["latency_mean"] == found["mean"] == 0.0
    assert found["cpu"] == pytest.approx(0.02, rel=0.01)


def test_without_a_cost_the_truth_is_zero(folder):
    found = truth.measure(*sealed_run(folder), "spin", 6)
    assert all(found[name] == 0.0 for name in truth.METRICS if name in found)


def test_only_judged_generations_count(folder):
    assert truth.measure(*sealed_run(folder, added_us=300.0), "spin", 4)["requests"] == 4 * 300


def test_requests_after_the_timed_ones_are_left_out(folder):
    found = truth.measure(*sealed_run(folder, added_us=300.0, later_requests=3), "spin", 6)
    assert found["added_wall_us"] == pytest.approx(300.0)


def test_an_account_of_another_sequence_fits_nothing(folder, tmp_path):
    run, accounts = sealed_run(folder, added_us=300.0)
    other = tmp_path / "other"
    for name in ("run", "accounts"):
        (other / name).mkdir(parents=True)
    strange = sealed_run(other, added_us=300.0, seed=2)[1]
    assert len(truth.read_accounts(accounts)) == len(truth.read_accounts(strange)) == 12
    with pytest.raises(truth.UnknownTruthError, match="no account fits 300 requests"):
        truth.measure(run, strange, "spin", 6)


def test_an_index_is_told_by_the_backend():
    entries = np.zeros(4, dtype=ENTRY)
    entries["added_wall_ns"], entries["added_cpu_ns"] = 7, 5
    entries["backend_cpu_ns"] = 400
    assert truth.added_wall_ns(entries, "index").tolist() == [400] * 4
    assert truth.added_cpu_ns(entries, "index").tolist() == [400] * 4
    assert truth.added_cpu_ns(entries, "query").tolist() == [405] * 4
    assert truth.added_wall_ns(entries, "query").tolist() == [7] * 4
    assert math.isclose(truth.added_cpu_ns(entries, "spin").mean(), 5)


@pytest.mark.parametrize("charged", [1.0, 0.951, 0.0])
def test_cpu_is_taken_out_the_way_it_was_judged(folder, charged):
    """Whether requests tell of CPU hangs on a limit of 5% that taking the cost out must not cross."""
    run, accounts = sealed_run(folder, added_us=300.0, charged=charged)
    assert truth.measure(run, accounts, "spin", 6)["cpu"] == pytest.approx(0.05, rel=0.1)
