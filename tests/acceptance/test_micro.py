"""`loadstone micro` of two commits, with instructions counted beside the clock."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Project

from loadstone.errors import MeasurementError
from loadstone.lanes.counting import count
from loadstone.lanes.micro import MicroSide

CONFIG = """\
[target]
command = ["true", "{port}"]

[micro]
benchmarks = "bench"
env = { PYTHONPATH = "{root}", PYTEST_DISABLE_PLUGIN_AUTOLOAD = "1" } # they take most of the time
generations = 6
command = ["{python}", "-m", "pytest", "{benchmarks}", "-q", "-p", "no:cacheprovider", "-p",
  "pytest_benchmark.plugin", "--benchmark-only", "--benchmark-max-time=0.01", "--benchmark-min-rounds=2",
  "--benchmark-json={json}"]
"""
BENCHMARKS = """\
import pytest
from work import grown, same

@pytest.mark.benchmark(group="sums")
@pytest.mark.parametrize("first", [1])
def test_grown(benchmark, first):
    assert benchmark(grown, first) > 0

def test_same(benchmark):
    benchmark.pedantic(same, setup=lambda: ((list(range(500)),), {}), rounds=3)

def test_that_measures_nothing():
    assert True
"""
WORK = """\
def grown(first):
    return sum(range(first, COUNT))

def same(numbers):
    return sorted(numbers, reverse=True)
"""


def commit(folder, count: int) -> None:
    (folder / "work.py").write_text(WORK.replace("COUNT", str(count)))
    person = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for words in (("add", "-A"), (*person, "commit", "-qm", f"sum up to {count}")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.fixture
def project(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".loadstone/\nreports/\n__pycache__/\n")
    (tmp_path / "loadstone.toml").write_text(CONFIG)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "test_work.py").write_text(BENCHMARKS)
    commit(tmp_path, 10_000)
    commit(tmp_path, 12_000)
    return Project(tmp_path)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_instructions_tell_a_change_of_a_fifth_and_leave_the_rest_alone(project):
    ran = project.run("micro", "HEAD~1", "HEAD", "--instructions", "--json", "-", "--quiet")
    assert ran.stdout, ran.stderr
    result = json.loads(ran.stdout)
    assert not result.get("uncounted"), result["uncounted"]
    found = {one["name"]: one["instructions"] for one in result["findings"]}
    assert set(found) == {"test_work.py::test_grown[1]", "test_work.py::test_same"}
    grown = found["test_work.py::test_grown[1]"]
    assert grown["says"] == "more"
    assert 0.15 < grown["change"] < 0.25
    assert grown["before"] > 10_000
    assert found["test_work.py::test_same"]["says"] == "same"
    assert "instructions are counted by callgrind" in ran.stderr
    assert not (project.folder / "callgrind.out").exists()


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_what_cannot_be_counted_is_told_with_what_it_wrote(tmp_path):
    side = MicroSide(name="base", label="main", root=tmp_path, python=Path(sys.executable))
    command = ["{python}", "-c", "raise SystemExit('no benchmarks here')"]
    with pytest.raises(MeasurementError, match="instructions of main could not be counted") as refused:
        count((side, side), command, tmp_path, {}, tmp_path, lambda _: None)
    assert "no benchmarks here" in refused.value.cause
    assert "micro.count_command" in refused.value.remedy
