"""The journal survives a kill: all but a torn last line can be read, and nothing can be changed unseen."""

import msgspec
import pytest
from runs import Truth, make_plan, make_run

from loadstone.errors import MeasurementError
from loadstone.record.journal import (
    EndLine,
    Journal,
    PlanLine,
    ProbeLine,
    UnkeptError,
    read_chunk,
    read_journal,
)
from loadstone.record.observations import ROW, Outcome
from loadstone.record.probed import PayloadCheck, Probe


@pytest.fixture
def run(tmp_path):
    """A folder with a plan, two sealed generations and an end."""
    plan = make_plan()
    journal = Journal(tmp_path)
    journal.append(PlanLine(plan=plan))
    probe = Probe(facts=[], payload=PayloadCheck(checked=1, equal=1, rules=[], differences=[]))
    journal.append(ProbeLine(probe=msgspec.Raw(msgspec.json.encode(probe))))
    for line, rows in make_run(plan, Truth(pairs=50), 2):
        journal.append(msgspec.structs.replace(line, chunk=journal.seal(rows.tobytes())))
    journal.append(EndLine(status="complete", stop_reason="decided", at="2026-01-01T00:00:00+00:00"))
    journal.close()
    return tmp_path


def test_what_was_written_is_read_again(run):
    lines = read_journal(run)
    assert [type(line).__name__ for line in lines] == [
        "PlanLine", "ProbeLine", "GenerationLine", "GenerationLine", "EndLine",
    ]  # fmt: skip
    assert lines[0].plan == make_plan()
    assert lines[0].plan.hash == make_plan().hash
    rows = read_chunk(run, lines[2].chunk)
    assert rows.dtype == ROW
    assert rows.size == lines[2].rows == 100


def test_a_torn_last_line_is_dropped_and_all_else_kept(run):
    path = run / "journal.jsonl"
    whole = path.read_bytes()
    for cut in (1, 5, 40):
        path.write_bytes(whole[:-cut])
        lines = read_journal(run)
        assert len(lines) == (5 if cut == 1 else 4)


def test_a_damaged_line_in_the_middle_is_one_clear_error(run):
    path = run / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2][:-20]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(MeasurementError) as caught:
        read_journal(run)
    assert "journal.jsonl:3" in caught.value.cause


def test_a_changed_chunk_is_noticed(run):
    name = read_journal(run)[2].chunk
    path = run / "chunks" / f"{name}.rows"
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)
    with pytest.raises(MeasurementError, match="was changed"):
        read_chunk(run, name)


def test_a_missing_chunk_is_noticed(run):
    with pytest.raises(MeasurementError, match="is missing"):
        read_chunk(run, "0" * 64)


def test_stored_outcome_numbers_never_change_meaning():
    assert {one.name: int(one) for one in Outcome} == {
        "OK": 0, "CHECK_FAILED": 1, "TOO_MANY_REQUESTS": 2, "CLIENT_ERROR": 3,
        "SERVER_ERROR": 4, "TIMEOUT": 5, "TRANSPORT_ERROR": 6, "REDIRECT": 7, "NOT_SENT": 8,
    }  # fmt: skip


def test_a_disk_that_is_full_is_told_as_such_and_with_what_to_do(tmp_path):
    (tmp_path / "journal.jsonl").symlink_to("/dev/full")
    journal = Journal(tmp_path)
    with pytest.raises(UnkeptError) as caught:
        journal.append(PlanLine(plan=make_plan()))
    assert "No space left" in caught.value.cause
    assert f"loadstone resume {tmp_path.name}" in caught.value.remedy
