"""Whatever is changed of a run after it was sealed and judged, verifying says where."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from runs import Truth, make_controlled_plan, make_plan, make_run, spike

from loadstone.errors import ConfigurationError
from loadstone.record.folder import save_result
from loadstone.record.journal import EndLine, Journal, PlanLine, ProbeLine, ResumeLine, read_journal
from loadstone.record.probed import PayloadCheck, Probe
from loadstone.record.result import Machine
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn
from loadstone.verdict.assemble import Circumstances, judge_run, read_sealed
from loadstone.verdict.verify import verify_run

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
TIMES = ("2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00")


def make_folder(folder, *, truth=Truth(effect=-0.4, pairs=450), **changes):  # noqa: B008 - frozen
    """Write a run as a comparison leaves it."""
    folder.mkdir()
    plan = replace(make_plan(), **changes)
    journal = Journal(folder)
    journal.append(PlanLine(plan=plan))
    probe = Probe(facts=[], payload=PayloadCheck(checked=1, equal=1, rules=[], differences=[]))
    journal.append(ProbeLine(probe=msgspec.Raw(msgspec.json.encode(probe))))
    for line, rows in make_run(plan, truth):
        journal.append(replace(line, chunk=journal.seal(rows.tobytes())))
    journal.append(EndLine(status="complete", stop_reason="all measured", at=TIMES[1], decided=True))
    journal.close()
    save_result(folder, judge_run(read_sealed(folder), Circumstances("run", *TIMES, 60.0, MACHINE)))
    return folder


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def run(untouched, tmp_path):
    """A copy that may be changed."""
    return Path(shutil.copytree(untouched, tmp_path / "run"))


def edit(run, change):
    """Change the result as someone would who wants it to say something else."""
    path = run / "result.json"
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def test_an_untouched_run_is_the_same_to_the_last_bit(run):
    found = verify_run(run)
    assert found.same
    assert found.difference is None
    assert [step.name for step in found.steps] == ["journal", "chunks", "result"]


def test_indentation_is_no_difference(run):
    edit(run, lambda tree: tree.update(tree))
    assert verify_run(run).same


@pytest.mark.parametrize("fail_on", FailOn)
def test_what_fails_a_build_is_sealed_with_the_plan(tmp_path, fail_on):
    """1.5% slower within a margin of 2% fails only the strictest gate."""
    truth = Truth(effect=0.015, noise=0.001, start_effect=0.0, pairs=4000)
    run = make_folder(tmp_path / "run", truth=truth, fail_on=fail_on)
    assert json.loads((run / "result.json").read_text())["verdict"]["exit_code"] == (fail_on == "detected")
    assert verify_run(run).same


def test_a_run_without_a_fixed_end_is_verified_by_its_own_rules(tmp_path):
    run = make_folder(tmp_path / "run", stopping=Stopping.ANYTIME, looks=[6, 7, 8])
    assert verify_run(run).same
    edit(run, lambda tree: tree["experiment"].update(stopping="sequential"))
    assert verify_run(run).difference.field == "experiment.stopping"


def test_a_plan_with_defaults_has_the_hash_it_had_before_there_were_any():
    plan = make_plan()
    assert b"fail_on" not in msgspec.json.encode(plan)
    assert replace(plan, fail_on=FailOn.CERTAIN).hash != plan.hash


@pytest.mark.parametrize(
    ("change", "field", "where"),
    [
        (lambda tree: tree["verdict"].update(exit_code=1), "verdict.exit_code", ""),
        (lambda tree: tree["verdict"].update(headline="better"), "verdict.headline", ""),
        (lambda tree: tree["contrasts"][0]["effect"].update(low=-0.9),
         "contrasts[0].effect.low", "latency_mean, after"),
        (lambda tree: tree["checks"][0].update(status="warn"), "checks[0].status", "payload"),
        (lambda tree: tree["outcomes"].pop(), "outcomes", ""),
        (lambda tree: tree["run"].update(seed=2), "run.seed", ""),
        (lambda tree: tree["run"].update(plan_hash="0"), "run.plan_hash", ""),
        (lambda tree: tree.update(extra=1), "extra", ""),
        (lambda tree: tree["probe"]["payload"].update(checked=2), "probe.payload.checked", ""),
        (lambda tree: tree["generations"][3].update(steal=0.5), "generations[3].steal", ""),
    ],
)  # fmt: skip
def test_an_edited_result_is_told_by_the_first_field_that_differs(run, change, field, where):
    edit(run, change)
    found = verify_run(run)
    assert not found.same
    assert found.difference.field == field
    assert found.difference.where == where
    assert found.difference.recorded != found.difference.recomputed


@pytest.fixture(scope="module")
def controlled(tmp_path_factory):
    """A run with both controls, the extra cost of one sealed beside its rows."""
    folder = tmp_path_factory.mktemp("runs") / "controlled"
    folder.mkdir()
    plan, journal = make_controlled_plan(), Journal(folder)
    run = make_run(plan, Truth(others=(0.0, 0.0), noise=0.002, pairs=450))
    journal.append(PlanLine(plan=plan))
    for (line, rows), spikes in zip(run, spike(plan, run), strict=True):
        names = {"chunk": journal.seal(rows.tobytes()), "spikes": journal.seal(spikes.tobytes())}
        journal.append(replace(line, **names))
    journal.append(EndLine(status="complete", stop_reason="all measured", at=TIMES[1], decided=True))
    journal.close()
    save_result(folder, judge_run(read_sealed(folder), Circumstances("run", *TIMES, 60.0, MACHINE)))
    return folder


def test_controls_are_recomputed_too(controlled, tmp_path):
    assert verify_run(controlled).same
    run = Path(shutil.copytree(controlled, tmp_path / "run"))
    edit(run, lambda tree: tree["controls"][-1].update(truth=0.05))
    assert verify_run(run).difference.field == "controls[6].truth"


def test_a_known_cost_that_was_changed_is_noticed(controlled, tmp_path):
    run = Path(shutil.copytree(controlled, tmp_path / "run"))
    spikes = [line.spikes for line in read_journal(run) if hasattr(line, "spikes")]
    path = run / "chunks" / f"{spikes[2]}.rows"
    path.write_bytes(bytes(len(path.read_bytes())))
    assert "generation 3: a sealed chunk was changed" in verify_run(run).steps[-1].message
    path.unlink()
    assert "a sealed chunk is missing" in verify_run(run).steps[-1].message


def test_a_known_cost_of_another_generation_is_noticed(controlled, tmp_path):
    run = Path(shutil.copytree(controlled, tmp_path / "run"))
    lines = (run / "journal.jsonl").read_text().splitlines(keepends=True)
    first = json.loads(lines[1])
    rows = next(line for line in read_journal(run) if hasattr(line, "chunk")).chunk
    lines[1] = json.dumps({**first, "spikes": rows}) + "\n"
    (run / "journal.jsonl").write_text("".join(lines))
    assert "does not belong to its generation" in verify_run(run).steps[-1].message


def test_the_last_bit_of_a_number_counts(run):
    def nudge(tree):
        effect = tree["contrasts"][0]["effect"]
        effect["estimate"] = effect["estimate"] * (1 + 2**-52)

    edit(run, nudge)
    assert verify_run(run).difference.field == "contrasts[0].effect.estimate"


def test_a_flipped_byte_in_any_chunk_is_noticed(run):
    chunks = [line.chunk for line in read_journal(run) if hasattr(line, "chunk")]
    for place, name in enumerate(chunks):
        path = run / "chunks" / f"{name}.rows"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        found = verify_run(run)
        assert not found.same
        assert f"generation {place + 1}: a sealed chunk was changed" in found.steps[-1].message
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert verify_run(run).same


def test_a_missing_chunk_is_noticed(run):
    next((run / "chunks").iterdir()).unlink()
    assert "a sealed chunk is missing" in verify_run(run).steps[-1].message


def test_a_journal_cut_short_anywhere_is_noticed(run):
    """Lines lost at the end leave fewer generations or no end; half a line is a torn one."""
    path = run / "journal.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for kept in range(len(lines)):
        for torn in (b"", lines[kept][:30]):
            path.write_bytes(b"".join(lines[:kept]) + torn)
            assert not verify_run(run).same, (kept, torn)


def test_a_journal_edited_in_one_value_is_noticed(run):
    path = run / "journal.jsonl"
    path.write_text(path.read_text().replace('"server_s":1.', '"server_s":2.', 1))
    assert verify_run(run).difference.field.startswith("contrasts")


@pytest.mark.parametrize("damage", [b"", b"{", b"not json", b'{"schema_version": "1.0"}'])
def test_a_damaged_result_is_noticed(run, damage):
    (run / "result.json").write_bytes(damage)
    found = verify_run(run)
    assert not found.same
    assert "result.json cannot be read" in found.steps[-1].message


def test_a_journal_from_which_nothing_can_be_judged_is_noticed(run):
    path = run / "journal.jsonl"
    path.write_text(path.read_text().replace('"steps":["GET /list","GET /detail"]', '"steps":[]'))
    assert "cannot be judged" in verify_run(run).steps[-1].message


def test_a_journal_that_is_gone_is_noticed(run):
    (run / "journal.jsonl").unlink()
    assert not verify_run(run).same


def test_a_folder_that_is_no_run_is_wrong_use(tmp_path):
    with pytest.raises(ConfigurationError, match="is no run"):
        verify_run(tmp_path)


def test_a_run_that_was_killed_has_nothing_to_verify(run):
    (run / "result.json").unlink()
    with pytest.raises(ConfigurationError, match="has no result"):
        verify_run(run)


def test_a_result_of_another_version_is_called_that(run):
    edit(run, lambda tree: tree.update(schema_version="1.999"))
    assert "judged by another version" in verify_run(run).steps[-1].message


def test_a_run_that_was_cut_short_twice_is_judged_as_one_in_one_piece(untouched, tmp_path):
    """Only the check that tells of it, and what the run tells of itself, may differ."""
    lines = read_journal(untouched)
    whole = judge_run(read_sealed(untouched), Circumstances("run", *TIMES, 60.0, MACHINE))
    folder = Path(shutil.copytree(untouched, tmp_path / "resumed"))
    (folder / "journal.jsonl").unlink()
    journal = Journal(folder, resume=True)
    partial = EndLine(status="partial", stop_reason="interrupted", at=TIMES[0])
    pause = ResumeLine(at=TIMES[1], generations=2, idle_s=60.0)
    for line in (*lines[:4], partial, pause, *lines[4:6], replace(pause, generations=4), *lines[6:]):
        journal.append(line)
    journal.close()
    resumed = judge_run(read_sealed(folder), Circumstances("run", *TIMES, 60.0, MACHINE))
    assert resumed.checks[-1].name == "resumed"
    assert replace(resumed, checks=resumed.checks[:-1]) == whole
