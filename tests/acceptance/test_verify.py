"""`loadstone verify` on a real run, untouched and tampered with."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def copy(improved, tmp_path) -> Path:
    """A copy of a real run that may be changed."""
    project, _ = improved
    return Path(shutil.copytree(project.runs()[0], tmp_path / "copy"))


def test_a_real_run_is_the_same_to_the_last_bit(improved):
    project, _ = improved
    ran = project.run("verify")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "SAME" in ran.stdout
    assert project.runs()[0].name in ran.stdout


def test_a_run_is_found_by_its_id_and_told_as_json(improved):
    project, _ = improved
    ran = project.run("verify", project.runs()[0].name, "--json")
    told = json.loads(ran.stdout)
    assert told["same"] is True
    assert [step["name"] for step in told["steps"]] == ["journal", "chunks", "result"]


def test_a_run_is_verified_from_any_folder(improved, copy, tmp_path):
    """Outside any project, and by a file of the run as well."""
    project, _ = improved
    elsewhere = type(project)(tmp_path)
    assert elsewhere.run("verify", str(copy)).returncode == 0
    assert elsewhere.run("verify", str(copy / "result.json")).returncode == 0


def test_a_flipped_byte_is_found(project, copy):
    chunk = next((copy / "chunks").iterdir())
    data = bytearray(chunk.read_bytes())
    data[100] ^= 1
    chunk.write_bytes(data)
    ran = project.run("verify", str(copy))
    assert ran.returncode == 3
    assert "a sealed chunk was changed" in ran.stdout


def test_an_edited_result_is_found(project, copy):
    path = copy / "result.json"
    path.write_text(path.read_text().replace('"verdict": "improved"', '"verdict": "equivalent"', 1))
    ran = project.run("verify", str(copy))
    assert ran.returncode == 3
    assert "verdict.verdict" in ran.stdout
    assert "equivalent" in ran.stdout
    assert "improved" in ran.stdout


def test_a_truncated_journal_is_found(project, copy):
    path = copy / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    ran = project.run("verify", str(copy))
    assert ran.returncode == 3
    assert "cut short" in ran.stdout


@pytest.mark.parametrize("words", [("nowhere",), (".",), ("loadstone.toml",)])
def test_what_is_no_run_is_wrong_use(project, words):
    ran = project.run("verify", *words)
    assert ran.returncode == 2
    assert "remedy:" in ran.stderr
    assert "Traceback" not in ran.stderr
