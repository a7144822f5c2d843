"""A load run, judged from made-up recordings."""

import pytest
from load_runs import BLOCK, END, PLAN, judged, recording, second, times
from msgspec.structs import replace
from rich.console import Console

from loadstone.errors import ExitCode, MeasurementError
from loadstone.record.load_record import (
    LoadJournal,
    LoadPlanLine,
    WorkerLine,
    read_load_journal,
    read_recording,
)
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording
from loadstone.record.result import CheckStatus
from loadstone.report import load_reports
from loadstone.verdict.load_checks import load_checks
from loadstone.verdict.offered import CLASS_OF, Gate, tallies
from loadstone.verdict.worker_checks import more_workers, sendable_problem


def test_a_run_that_kept_its_thresholds_is_exit_code_0():
    result = judged(recording(*[second()] * 4))
    assert result.exit_code == ExitCode.OK
    assert result.overall.requests == 400
    assert result.cpu_per_request_s == pytest.approx(0.005)
    assert [one.status for one in result.thresholds] == ["kept"] * 3
    assert [one.planned for one in result.seconds] == pytest.approx([100.0] * 4)
    assert dict(result.overall.response.values)[0.5] == pytest.approx(10_100, rel=0.004)
    assert dict(result.overall.service.values)[0.5] == pytest.approx(10_000, rel=0.004)


def test_a_broken_threshold_is_exit_code_1_and_an_untold_one_3():
    slow = [second(response_ms=300)] * 4
    assert judged(recording(*slow)).exit_code == ExitCode.REGRESSED
    typo = replace(PLAN, thresholds=["GET /typo: p50<1s"])
    assert judged(recording(*[second()] * 4), typo).exit_code == ExitCode.INVALID


def test_what_was_never_sent_counts_as_failed_and_as_longer_than_any_limit():
    block = replace(BLOCK, begun=100, not_sent=300)
    result = judged(recording(second(100, NOT_SENT=300)), block=block)
    assert result.saturated
    assert result.overall.outcomes == {"ok": 100, "not sent": 300}
    assert [one.status for one in result.thresholds] == ["broken"] * 3
    assert result.thresholds[0].endless


def test_a_generator_that_was_late_makes_the_run_invalid():
    result = judged(recording(*[second()] * 4), lag_us=50_000)
    assert (result.status, result.exit_code) == ("invalid", ExitCode.INVALID)
    (lag,) = [one for one in result.checks if one.name == "lag"]
    assert lag.status is CheckStatus.FAIL
    assert lag.remedy


@pytest.mark.parametrize(
    ("changes", "check", "status"),
    [
        ({"generator_cpu_s": 3.0}, "generator", CheckStatus.WARN),
        ({"generator_cpu_s": 3.9}, "generator", CheckStatus.FAIL),
        ({"clock_drift_s": -0.5}, "clock", CheckStatus.FAIL),
        ({"duration_s": 2.0}, "rate", CheckStatus.FAIL),
        ({"duration_s": 2.0, "aborted": "p50<1ms over 1s abort"}, "rate", CheckStatus.OK),
        ({"begun": 300, "not_sent": 100}, "backlog", CheckStatus.WARN),
        ({"scenario_errors": 2, "first_error": "KeyError: 'x'"}, "scenario", CheckStatus.WARN),
        ({"steal": 0.2}, "steal", CheckStatus.WARN),
    ],
)
def test_each_check_sees_its_fault(changes, check, status):
    result = judged(recording(*[second()] * 4), block=replace(BLOCK, **changes))
    assert {one.name: one.status for one in result.checks}[check] is status


WORKER = WorkerLine(
    name="worker 1",
    due=200,
    begun=200,
    requests=200,
    lost=0,
    cpu_s=0.4,
    duration_s=4.0,
    reports=5,
    repeated=0,
    first=0,
    ended="",
    clock_offset_us=None,
    clock_bound_us=0.0,
    clock_moved_us=0.0,
)


@pytest.mark.parametrize(
    ("second", "changes", "checks"),
    [
        ({}, {}, {"workers": "ok", "sum": "ok"}),
        ({"ended": "hung up", "lost": 2}, {"lost": 2, "planned": 400}, {"workers": "warn", "sum": "ok"}),
        ({"ended": "hung up", "lost": 40}, {"lost": 40, "planned": 400}, {"workers": "fail", "sum": "ok"}),
        ({"ended": "hung up"}, {"planned": None}, {"workers": "fail"}),
        ({"first": 100}, {}, {"workers": "warn"}),
        ({}, {"mismatch": "they differ"}, {"workers": "ok", "sum": "fail"}),
        ({"clock_bound_us": 400.0}, {}, {"worker clocks": "ok"}),
        ({"clock_bound_us": 9000.0}, {}, {"worker clocks": "warn"}),
        ({"clock_bound_us": 900.0, "clock_moved_us": 1e6}, {}, {"worker clocks": "fail"}),
    ],
)
def test_workers_must_take_part_agree_and_have_clocks(second, changes, checks):
    block = replace(BLOCK, workers=[WORKER, replace(WORKER, name="worker 2", **second)], **changes)
    told = load_checks(replace(PLAN, workers=2), block, Recording(), [])
    assert checks.items() <= {one.name: str(one.status) for one in told}.items()


def test_a_worker_that_never_came_is_missing():
    told = load_checks(replace(PLAN, workers=3), replace(BLOCK, workers=[WORKER]), Recording(), [])
    (check,) = [one for one in told if one.name == "workers"]
    assert (check.status, check.message) == (CheckStatus.WARN, "2 of 3 never took part")


def test_the_remedy_against_too_high_a_plan_is_as_many_workers_as_it_takes():
    assert more_workers(1000, 500, 1, cores=8).startswith("add --workers 4")
    assert "loadstone worker" in more_workers(1000, 500, 1, cores=2)
    assert more_workers(1000, 1000, 2, cores=8).startswith("add --workers 4")


def test_thresholds_of_windows_are_fed_second_by_second():
    plan = replace(PLAN, thresholds=["errors<1% over 2s abort"])
    gate = Gate(plan)
    whole = recording(second(), second(), second(50, SERVER_ERROR=50))
    assert gate.feed(whole, 2) == ""
    assert gate.feed(whole, 3) == "errors<1% over 2s abort"
    (finding,) = gate.findings()
    assert (finding.at_s, finding.requests) == (3, 200)


@pytest.mark.parametrize("fed_live", [0, 3, 5, 6])
def test_answers_of_the_drain_count_for_the_run_and_for_its_last_window(fed_live):
    plan = replace(PLAN, thresholds=["p90<200ms", "rate>=99%", "p90<200ms over 2s", "rate>=40/s over 2s"])
    gate, whole = Gate(plan), recording(*[second()] * 3, second(50), {}, second(50, response_ms=1500))
    assert gate.feed(whole, fed_live) == ""
    gate.close(whole, cut=False)
    all_, rate, window, rate_of_windows = gate.findings()
    assert (all_.status, all_.requests) == ("broken", 400)
    assert (rate.status, rate.worst) == ("kept", pytest.approx(1.0))
    assert (window.status, window.at_s, window.requests) == ("broken", 4, 200)
    assert rate_of_windows.status == "kept"


def test_what_the_drain_gave_up_counts_as_an_error():
    plan = replace(PLAN, thresholds=["errors<1%", "errors<1% over 2s"])
    gate = Gate(plan)
    gate.close(recording(*[second()] * 4, second(0, TIMEOUT=40)), cut=False)
    assert [one.status for one in gate.findings()] == ["broken", "broken"]


def test_what_came_after_a_run_was_cut_short_counts_too():
    gate = Gate(replace(PLAN, thresholds=["errors<1%", "errors<1% over 2s abort"]))
    gate.feed(recording(*[second()] * 2), 2)
    gate.close(recording(*[second()] * 2, second(0, TIMEOUT=40)), cut=True)
    assert [one.requests for one in gate.findings()] == [240, 240]


def test_a_plan_may_end_within_a_second():
    plan = replace(PLAN, duration_s=2.5, thresholds=["rate>=100%", "rate>=99/s", "rate<=101/s"])
    gate = Gate(plan)
    gate.close(recording(second(), second(), second(50)), cut=False)
    assert [one.status for one in gate.findings()] == ["kept"] * 3


def test_every_outcome_has_a_class_of_thresholds():
    assert set(CLASS_OF) == set(Outcome)
    cells = {Key(0, "GET /", outcome): times([1.0]) for outcome in Outcome}
    (tally,) = tallies(cells).values()
    assert tally.outcomes == dict.fromkeys(CLASS_OF.values(), 1)
    assert sum(tally.times_us["response"].values()) == 2  # ok and redirects; a failure has no time


def test_a_plan_may_ask_for_sixty_percent_of_what_can_be_sent():
    assert not sendable_problem(600, 1000)
    assert "can send 1,000" in sendable_problem(601, 1000)


def test_the_reports_tell_the_model_and_the_verdict():
    result = judged(recording(second(100, NOT_SENT=300)), block=replace(BLOCK, begun=100, not_sent=300))
    text = load_reports.markdown(result)
    assert text.startswith("# BROKEN  it at 100")
    assert "open model: 100 of 400 planned arrivals" in text
    assert "saturated: 300 never sent" in text
    console = Console(record=True, width=200, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115 - a sink
    load_reports.render(result, console)
    assert "longer than any limit" in console.export_text()


def test_a_journal_is_read_back_and_a_torn_line_dropped(tmp_path):
    journal = LoadJournal(tmp_path)
    whole = recording(second())
    name = journal.seal(whole)
    for line in (LoadPlanLine(plan=PLAN), replace(BLOCK, requests=name), END):
        journal.append(line)
    journal.close()
    path = tmp_path / "load.jsonl"
    assert read_load_journal(tmp_path)[1].requests == name
    assert read_recording(tmp_path, name).total == whole.total
    path.write_bytes(path.read_bytes()[:-20])
    assert len(read_load_journal(tmp_path)) == 2
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(MeasurementError, match="damaged"):
        read_load_journal(tmp_path)


def test_a_changed_recording_is_noticed(tmp_path):
    journal = LoadJournal(tmp_path)
    name = journal.seal(recording(second()))
    path = tmp_path / "recordings" / f"{name}.rec"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(MeasurementError, match="was changed"):
        read_recording(tmp_path, name)
