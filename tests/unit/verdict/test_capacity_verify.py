"""A search is what its sealed windows say, or it is told where not."""

import pytest
from capacity_simulation import MACHINE, experiment, search
from msgspec.structs import replace

from loadstone.record.capacity_result import save_capacity
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity
from loadstone.verdict.capacity_verify import is_capacity, verify_capacity


@pytest.fixture
def run(tmp_path):
    search(tmp_path, experiment(tmp_path, ["only"], repeats=2), capacity=lambda *_: 50.0)
    result = judge_capacity(read_sealed_capacity(tmp_path), (tmp_path.name, "now"), MACHINE)
    save_capacity(tmp_path, result)
    return tmp_path, result


def test_a_run_follows_from_its_windows(run):
    folder, result = run
    assert is_capacity(folder)
    found = verify_capacity(folder)
    assert found.same
    assert result.headline in found.steps[-1].message


def test_a_changed_figure_is_named(run):
    folder, result = run
    better = replace(result.estimates[0], rps=result.estimates[0].rps * 2)
    save_capacity(folder, replace(result, estimates=[better]))
    found = verify_capacity(folder)
    assert not found.same
    assert found.difference.field == "estimates[0].rps"


def test_a_changed_recording_is_found(run):
    folder, _ = run
    recording = next((folder / "recordings").iterdir())
    recording.write_bytes(recording.read_bytes() + b"x")
    assert "was changed" in verify_capacity(folder).steps[0].message


def test_windows_that_were_taken_away_are_missed(run):
    folder, _ = run
    journal = folder / "capacity.jsonl"
    lines = [line for line in journal.read_text().splitlines() if '"kind":"window"' not in line]
    journal.write_text("\n".join(lines) + "\n")
    assert not verify_capacity(folder).same
