"""A run's folder: named by time and title, written whole or not at all."""

import os
from datetime import UTC, datetime

import pytest

from loadstone.errors import ConfigurationError
from loadstone.record.folder import latest_run, load_result, new_run_folder, write_atomically

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_name_tells_time_and_title(tmp_path):
    assert new_run_folder(tmp_path, "orm=naive → orm=prefetch", NOW).name == (
        "20260102T030405Z-orm-naive-orm-prefetch"
    )


def test_two_runs_in_one_second_do_not_share_a_folder(tmp_path):
    first, second = (new_run_folder(tmp_path, "same", NOW) for _ in range(2))
    assert first != second


def test_a_hostile_title_stays_inside_the_folder(tmp_path):
    folder = new_run_folder(tmp_path, "../../etc/passwd\x00" + "x" * 999, NOW)
    assert folder.parent == tmp_path
    assert len(folder.name) < 100


def test_a_file_in_the_way_is_one_clear_error(tmp_path):
    (tmp_path / "reports").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        new_run_folder(tmp_path / "reports", "title", NOW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        new_run_folder(tmp_path, "title", NOW)


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "result.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": "9.0"}', "\xff"])
def test_what_is_no_result_is_one_clear_error(tmp_path, text):
    (tmp_path / "result.json").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError):
        load_result(tmp_path)


def test_no_run_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigurationError, match="no run"):
        latest_run(tmp_path)
    with pytest.raises(ConfigurationError, match="no result"):
        load_result(tmp_path)
