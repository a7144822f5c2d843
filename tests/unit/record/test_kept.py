"""What a run that was cut short has kept, and which runs may go on."""

import msgspec
import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.lanes.resuming import sealed_rows
from loadstone.record.capacity_record import CAPACITY_JOURNAL
from loadstone.record.folder import RESULT
from loadstone.record.journal import (
    JOURNAL,
    EndLine,
    Journal,
    PlanLine,
    ProbeLine,
    ResumeLine,
    read_journal,
)
from loadstone.record.kept import read_kept
from loadstone.record.load_record import JOURNAL as LOAD_JOURNAL
from loadstone.record.probed import PayloadCheck, Probe

BEGUN, INTERRUPTED = "2026-01-01T00:00:00.250+00:00", "2026-01-01T00:01:00.250+00:00"


@pytest.fixture
def cut(tmp_path):
    """A folder with a plan and two sealed generations, as a kill leaves it."""
    plan = make_plan()
    journal = Journal(tmp_path)
    journal.append(PlanLine(plan=plan, at=BEGUN, machine="m"))
    probe = Probe(facts=[], payload=PayloadCheck(checked=1, equal=1, rules=[], differences=[]))
    journal.append(ProbeLine(probe=msgspec.Raw(msgspec.json.encode(probe))))
    for line, rows in make_run(plan, Truth(pairs=50), 2):
        journal.append(replace(line, chunk=journal.seal(rows.tobytes())))
    journal.close()
    return tmp_path


def end(folder, status):
    journal = Journal(folder, resume=True)
    journal.append(EndLine(status=status, stop_reason="a reason", at=INTERRUPTED, cause="a cause"))
    journal.close()


def test_a_killed_run_keeps_what_was_sealed(cut):
    kept = read_kept(cut)
    assert kept.plan == make_plan()
    assert [line.index for line in kept.generations] == [0, 1]
    assert (kept.machine, kept.probed, kept.ended) == ("m", True, False)


def test_an_interrupted_run_may_go_on_and_tells_how_long_it_lasted(cut):
    end(cut, "partial")
    kept = read_kept(cut)
    assert not kept.ended
    assert kept.lasted_s == 60.0


def test_a_torn_line_is_cut_off_before_anything_is_added(cut):
    with (cut / JOURNAL).open("ab") as file:
        file.write(b'{"kind":"generation","index":2,"chu')
    journal = Journal(cut, resume=True)
    journal.append(ResumeLine(at=INTERRUPTED, generations=2, idle_s=1.0))
    journal.close()
    assert [type(line).__name__ for line in read_journal(cut)] == [
        "PlanLine", "ProbeLine", "GenerationLine", "GenerationLine", "ResumeLine",
    ]  # fmt: skip


def test_a_run_that_goes_on_still_is_left_alone(cut):
    writer = Journal(cut, resume=True)
    with pytest.raises(ConfigurationError, match="goes on still"):
        Journal(cut, resume=True)
    writer.close()
    Journal(cut, resume=True).close()


def test_what_is_measured_but_not_judged_only_has_to_be_judged(cut):
    end(cut, "complete")
    assert read_kept(cut).ended


@pytest.mark.parametrize(
    ("status", "error"), [("complete", ConfigurationError), ("invalid", MeasurementError)]
)
def test_a_run_that_was_judged_does_not_go_on(cut, status, error):
    end(cut, status)
    (cut / RESULT).touch()
    with pytest.raises(error):
        read_kept(cut)


def test_a_damaged_journal_is_bad_input_and_stays_as_it_is(cut):
    path = cut / JOURNAL
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], lines[1][:-9], *lines[2:]]))
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="cannot be resumed") as caught:
        read_kept(cut)
    assert "journal.jsonl:2" in caught.value.cause
    assert caught.value.remedy.endswith(make_plan().command)
    assert path.read_bytes() == before


def test_a_damaged_chunk_is_bad_input(cut):
    kept = read_kept(cut)
    assert len(sealed_rows(kept)) == 2
    next((cut / "chunks").glob("*.rows")).unlink()
    with pytest.raises(ConfigurationError, match="cannot be resumed"):
        sealed_rows(kept)


def test_without_a_plan_there_is_nothing_to_go_on_with(tmp_path):
    (tmp_path / JOURNAL).write_bytes(b'{"kind":"pl')
    with pytest.raises(ConfigurationError, match="nothing to go on with"):
        read_kept(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        (LOAD_JOURNAL, b'{"kind":"plan","plan":{"command":"loadstone x"}}\n', "a run under load"),
        (LOAD_JOURNAL, b'{"kind":"design","design":{"plan":{"command":"loadstone x"}}}\n', "under load"),
        (CAPACITY_JOURNAL, b'{"kind":"plan","plan":{"command":"loadstone x"}}\n', "a search for capacity"),
    ],
)
def test_other_lanes_are_refused_with_the_command_that_repeats_them(tmp_path, name, line, kind):
    (tmp_path / name).write_bytes(line)
    with pytest.raises(ConfigurationError, match="cannot be resumed") as caught:
        read_kept(tmp_path)
    assert kind in caught.value.cause
    assert "repeat it: loadstone x" in caught.value.remedy
    (tmp_path / name).write_bytes(line[:9])
    with pytest.raises(ConfigurationError, match="cannot be resumed"):
        read_kept(tmp_path)
