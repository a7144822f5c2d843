import json
import math

import ledger
import numpy as np
import pytest
import versus
from comparison import METHODS, SHIPPED


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A ledger of a moody host on which loadstone's generations vary by 0.5%."""
    monkeypatch.setattr(ledger, "DATA", tmp_path)
    rng = np.random.default_rng(7)
    rows = [unit(rng, "restarts", block, 0.1) for block in (5.0, 20.0, 60.0) for _ in range(20)]
    rows += [unit(rng, "duet", 10.0, 0.02) for _ in range(20)]
    rows += [run(rng, 0.005) for _ in range(8)]
    ledger.append("versus", rows)
    return tmp_path


def unit(rng, scheme, block_s, sd):
    levels = 7_000.0 * np.exp(rng.normal(0, sd / math.sqrt(2), 2))
    rounds = levels[:, None] * np.exp(rng.normal(0, 0.02, (2, 10)))
    sides = [{"capped_mean_us": float(r.mean()), "rounds_us": r.tolist()} for r in rounds]
    return {**origin(), "scheme": scheme, "block_s": block_s, "duration_s": 2 * block_s + 6, "sides": sides}


def run(rng, sd):
    s = np.tile([1.0, -1.0], 6)
    d = 0.01 * s + rng.normal(0, sd, 12)
    told = {"scheme": "loadstone", "duration_s": 180.0, "detected": [], "d": d.tolist(), "s": s.tolist()}
    return {**origin(), **told}


def origin():
    return {"target": "target", "choice": "size=0"}


@pytest.mark.usefixtures("data")
def test_the_table_tells_every_method_and_is_appended(capsys):
    assert versus.main(["table"]) == 0
    out, _ = capsys.readouterr()
    for method in METHODS:
        assert out.count(method.name) == 1
    rows = {row["method"]: row for row in ledger.stored("versus-table")}
    assert len(rows) == len(METHODS) + 2
    assert rows[SHIPPED]["times_ours"] == 1.0
    before = rows["before-then-after, Welch"]
    assert before["calls"][0] > 0.5
    assert before["seconds_95"][0] < before["seconds"] < before["seconds_95"][1]
    assert before["extrapolated"]
    assert "machine time to call 1%" in out


@pytest.mark.usefixtures("data")
def test_before_then_after_takes_as_much_longer_as_its_variance_says():
    """SD 10% in 126 s against 0.5% in 15 s: (17.8 (0.1 / 0.00995)^2 x 126 s) over some 10 generations."""
    versus.main(["table"])
    rows = {row["method"]: row for row in ledger.stored("versus-table")}
    ratio = rows["before-then-after, Welch"]["times_ours"]
    assert 500 < ratio < 3_000
    assert rows["parallel duet"]["times_ours"] < rows["interleaved restarts, Welch"]["times_ours"] < ratio


def test_units_of_another_machine_or_target_are_left_out(data, capsys):
    path = data / "versus.jsonl"
    lines = path.read_text().splitlines()
    strange = json.loads(lines[0]) | {"target": "elsewhere"}
    path.write_text("\n".join([json.dumps(strange), *lines]) + "\n")
    assert versus.main(["table", "--no-save"]) == 0
    assert "1 units of other machines or targets are left out" in capsys.readouterr().err
    assert not (data / "versus-table.jsonl").exists()


def test_without_units_there_is_no_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ledger, "DATA", tmp_path)
    assert versus.main(["table"]) == 2
    assert "measure first" in capsys.readouterr().err


def test_every_cycle_visits_each_scheme_in_an_order_of_its_own():
    schemes = versus.schemes("3m")
    visits = list(versus._visits(schemes, 3, seed=1))
    orders = [[name for cycle, name in visits if cycle == wanted] for wanted in range(3)]
    assert orders[0] != orders[1]
    for order in orders:
        assert {name: order.count(name) for name in schemes} == {n: s.times for n, s in schemes.items()}
