import json

import numpy as np
import pytest

from loadstone.config.rates import parse_rate
from loadstone.errors import ConfigurationError
from loadstone.workload.arrivals import Arrivals
from loadstone.workload.replay.entries import Entry
from loadstone.workload.replay.scenario import write_scenario

ENTRIES = [
    Entry(at=0.0, method="GET", path="/", name="/"),
    Entry(at=0.25, method="POST", path="/a'\"\n", name="{x}", headers={"X": '"""'}, body="\\"),
    Entry(at=0.25, method="GET", path="/b", name="/b"),
    Entry(at=4.0, method="GET", path="/c", name="/c"),
]


def due(rate) -> list[float]:
    batches = Arrivals(rate, 0, rate.duration_s).batches()
    return (np.concatenate([batch.due_ns for batch in batches]) / 1e9).tolist()


def test_what_is_recorded_stays_data(tmp_path):
    scenario, data = write_scenario(ENTRIES, tmp_path / "day.py")
    compile(scenario.read_text(), str(scenario), "exec")
    assert [json.loads(line)["path"] for line in data.read_text().splitlines()] == [
        one.path for one in ENTRIES
    ]
    assert "'''" not in scenario.read_text()


def test_the_plan_of_the_data_has_the_recorded_times(tmp_path):
    _, data = write_scenario(ENTRIES, tmp_path / "day.py")
    rate = parse_rate(f"replay:{data}")
    assert due(rate) == pytest.approx([0.0, 0.25, 0.25, 4.0], abs=5e-6)
    assert due(parse_rate(f"replay:{data}*2")) == pytest.approx([0.0, 0.125, 0.125, 2.0], abs=5e-6)
    assert rate.peak_rps == 3


def test_many_requests_keep_their_times(tmp_path):
    rng = np.random.default_rng(3)
    times = np.sort(rng.uniform(0, 60, 20_000))
    times -= times[0]
    entries = [Entry(at=round(float(at), 6), method="GET", path="/", name="/") for at in times]
    _, data = write_scenario(entries, tmp_path / "day.py")
    found = np.array(due(parse_rate(f"replay:{data}")))
    assert np.abs(found - times).max() < 1e-4


def test_files_that_exist_are_not_overwritten_unless_asked(tmp_path):
    write_scenario(ENTRIES, tmp_path / "day.py")
    with pytest.raises(ConfigurationError, match="exists already"):
        write_scenario(ENTRIES, tmp_path / "day.py")
    write_scenario(ENTRIES[:1], tmp_path / "day.py", overwrite=True)


@pytest.mark.parametrize("name", ["a b.py", "day", "x;y.py"])
def test_odd_names_are_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match="no name of a Locust file"):
        write_scenario(ENTRIES, tmp_path / name)


@pytest.mark.parametrize(
    ("text", "cause"),
    [("", "empty"), ("{}", "at"), ('{"at": 1}\n{"at": 0}', "line 2"), ("\xff", ""), ('{"at": "x"}', "at")],
)
def test_data_that_is_none_is_told(tmp_path, text, cause):
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(ConfigurationError, match="holds no recorded arrivals") as caught:
        parse_rate(f"replay:{tmp_path / 'x.jsonl'}")
    assert cause in caught.value.cause


def test_a_speed_is_a_number(tmp_path):
    _, data = write_scenario(ENTRIES, tmp_path / "day.py")
    with pytest.raises(ConfigurationError, match="a speed is expected"):
        parse_rate(f"replay:{data}*fast")
