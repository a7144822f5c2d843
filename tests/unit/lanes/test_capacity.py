"""Searches on simulated servers, whose capacity is known: what is found, and in which order."""

import itertools
import json

import pytest
from capacity_simulation import MACHINE, experiment, noise, search

from loadstone.errors import MeasurementError
from loadstone.record.capacity_record import CAPACITY_JOURNAL
from loadstone.record.capacity_result import Bound
from loadstone.record.result import CheckStatus
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity

CAPACITIES = {"slow": 60.0, "fast": 200.0}
HIDDEN = 0.1 / 4.0
"""Overload that a window of 4 s may hide below a limit of 100 ms."""


def known(label, _processes):
    return CAPACITIES[label]


def judged(folder):
    return judge_capacity(read_sealed_capacity(folder), ("id", "now"), MACHINE)


def check(result, name):
    return next(one for one in result.checks if one.name == name)


def test_the_capacities_of_two_servers_are_found(tmp_path):
    """A window hides an overload of 2.5%, and the bracket is 3% wide: within 6% of the truth."""
    search(tmp_path, experiment(tmp_path, ["slow", "fast"]), capacity=known)
    result = judged(tmp_path)
    slow, fast = result.estimates
    assert (slow.bound, slow.searches) == (Bound.FOUND, 3)
    assert slow.rps == pytest.approx(60 * (1 + HIDDEN), rel=0.035)
    assert fast.rps == pytest.approx(200 * (1 + HIDDEN), rel=0.035)
    assert slow.low_rps < slow.rps < slow.high_rps
    (gain,) = result.gains
    assert (gain.pairs, gain.verdict) == (3, "improved")
    assert gain.low < 200 / 60 < gain.high
    assert result.headline.startswith("fast raises capacity from 61")
    assert result.exit_code == 0


def test_the_slower_variant_as_after_is_a_regression(tmp_path):
    search(tmp_path, experiment(tmp_path, ["fast", "slow"]), capacity=known)
    result = judged(tmp_path)
    assert result.gains[0].verdict == "regressed"
    assert result.exit_code == 1


def test_the_windows_of_variants_take_turns_as_long_as_both_are_searched(tmp_path):
    _, view = search(tmp_path, experiment(tmp_path, ["slow", "fast"]), capacity=known)
    labels = [label for label, _, _ in view.judgements]
    first = labels[: 2 * min(labels[:20].count("slow"), labels[:20].count("fast"))]
    assert all({one, other} == {"slow", "fast"} for one, other in zip(first[::2], first[1::2], strict=True))
    assert any(first[place] != first[place + 2] for place in range(0, len(first) - 2, 2))


def test_the_random_streams_of_windows_do_not_tell_the_variants_apart(tmp_path):
    """In the same turn both variants get the same arrivals and iterations."""
    windows, _ = search(tmp_path, experiment(tmp_path, ["slow", "fast"], repeats=2), capacity=known)
    keys = [{key for key, (which, _) in zip(windows.keys, windows.orders, strict=True) if which == side}
            for side in range(2)]  # fmt: skip
    assert len(keys[0] & keys[1]) >= min(map(len, keys)) - 1


def test_beyond_the_generator_the_capacity_is_at_least_what_was_kept(tmp_path):
    """Above 90 requests/s this generator hands work out 20 ms late."""
    late = lambda _window, rps: 20_000 if rps > 90 else 50  # noqa: E731
    search(tmp_path, experiment(tmp_path, ["slow", "fast"]), capacity=known, lag_us=late)
    result = judged(tmp_path)
    slow, fast = result.estimates
    assert slow.bound is Bound.FOUND
    assert (fast.bound, fast.low_rps) == (Bound.AT_LEAST, None)
    assert 80 < fast.rps <= 90
    assert "late" in fast.note
    (gain,) = result.gains
    assert (gain.bound, gain.verdict) == (Bound.AT_LEAST, "improved")
    assert gain.ratio < 200 / 60
    assert "at least" in result.headline
    assert result.exit_code == 0


def test_no_capacity_comes_from_an_invalid_window(tmp_path):
    late = lambda _window, rps: 20_000 if rps > 90 else 50  # noqa: E731
    search(tmp_path, experiment(tmp_path, ["fast"]), capacity=known, lag_us=late)
    result = judged(tmp_path)
    assert {one.trial for one in result.windows if one.rate_rps > 90} == {"invalid"}
    assert all(one.capacity_rps <= 90 for one in result.searches)


def test_windows_that_the_generator_spoils_now_and_then_are_measured_again(tmp_path):
    spoilt = lambda window, _rps: 30_000 if window % 5 == 0 else 50  # noqa: E731
    search(tmp_path, experiment(tmp_path, ["slow"]), capacity=known, lag_us=spoilt)
    result = judged(tmp_path)
    assert any(one.trial == "invalid" for one in result.windows)
    assert result.estimates[0].rps == pytest.approx(60 * (1 + HIDDEN), rel=0.05)
    assert check(result, "windows").value > 0


def test_a_generator_that_is_never_on_time_measures_nothing(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow"]), capacity=known, lag_us=lambda *_: 30_000)
    result = judged(tmp_path)
    assert result.estimates[0].bound is Bound.UNKNOWN
    assert "could not be told" in result.headline
    assert result.exit_code == 3


def test_the_highest_rate_that_is_allowed_is_told_as_a_bound(tmp_path):
    search(tmp_path, experiment(tmp_path, ["fast"], max_rps=80.0), capacity=known)
    estimate = judged(tmp_path).estimates[0]
    assert (estimate.bound, estimate.rps) == (Bound.AT_LEAST, 80.0)
    assert "highest rate that was allowed" in estimate.note


def test_what_the_generator_can_send_is_no_limit_of_the_server(tmp_path):
    search(tmp_path, experiment(tmp_path, ["fast"]), capacity=known, sendable_rps=200.0)
    estimate = judged(tmp_path).estimates[0]
    assert (estimate.bound, estimate.rps) == (Bound.AT_LEAST, 120.0)
    assert "this generator can send" in estimate.note


def test_a_server_that_always_fails_keeps_no_rate(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow"]), capacity=known, error_share=0.05)
    result = judged(tmp_path)
    assert result.estimates[0].bound is Bound.BELOW
    assert result.exit_code == 1


def test_an_objective_that_cannot_be_told_ends_the_search_at_once(tmp_path):
    from loadstone.config.thresholds import parse_thresholds

    wanted = experiment(tmp_path, ["slow"], objective=parse_thresholds("GET /typo: p99<100ms"))
    with pytest.raises(MeasurementError, match="cannot be told: GET /typo"):
        search(tmp_path, wanted, capacity=known)


def test_windows_at_low_rates_are_long_enough_for_the_objective(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow"]), capacity=lambda *_: 25.0)
    result = judged(tmp_path)
    assert all(one.seconds * one.rate_rps >= 199 for one in result.windows)
    assert result.estimates[0].rps == pytest.approx(25, rel=0.06)


def test_a_budget_that_is_spent_ends_the_search_and_says_so(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow"], budget_s=1.0), capacity=known)
    result = judged(tmp_path)
    assert result.stop_reason == "the budget is spent after 0 of 3 searches of each"
    assert result.estimates[0].note == "no valid window was measured"
    assert result.exit_code == 4


def scaled(contention):
    """Return the capacity of a server whose processes contend as the law says."""
    return lambda _label, n: 50.0 * n / (1 + contention * (n - 1))


def test_how_many_processes_a_rate_needs(tmp_path):
    """X(3) = 50 * 3 / 1.1 = 136, so 130 requests/s need three; the windows hide 2.5%."""
    wanted = experiment(tmp_path, ["only"], processes=(1, 2, 4), for_rps=130.0)
    search(tmp_path, wanted, capacity=scaled(0.05))
    result = judged(tmp_path)
    (law,) = result.scalability
    assert law.unavailable == ""
    assert law.contention == pytest.approx(0.05, abs=0.05)
    assert law.needed.needed == 3
    assert law.needed.low <= 3 <= law.needed.high
    assert not law.needed.extrapolated
    assert "needs 3 processes" in result.headline
    assert {one.processes for one in result.estimates} == {1, 2, 4}
    assert check(result, "processes").status is CheckStatus.OK


def test_a_rate_beyond_what_was_measured_is_told_as_extrapolated(tmp_path):
    wanted = experiment(tmp_path, ["only"], processes=(1, 2, 4), for_rps=300.0)
    search(tmp_path, wanted, capacity=scaled(0.01))
    (law,) = judged(tmp_path).scalability
    assert law.needed.extrapolated
    assert "extrapolated" in law.caution


def test_searches_that_differ_much_say_that_the_fit_cannot_tell(tmp_path):
    asked = itertools.count()

    def wild(_label, n):
        return 50.0 * n * (1 + 0.6 * noise(n, next(asked)))

    wanted = experiment(tmp_path, ["only"], processes=(1, 2, 4), for_rps=500.0, repeats=2)
    search(tmp_path, wanted, capacity=wild)
    (law,) = judged(tmp_path).scalability
    assert law.unavailable or law.caution


def test_without_the_fit_its_absence_is_explained(tmp_path):
    wanted = experiment(tmp_path, ["only"], processes=(1, 2, 4), max_rps=60.0)
    search(tmp_path, wanted, capacity=scaled(0.0))
    (law,) = judged(tmp_path).scalability
    assert law.unavailable == "the capacity with 2 processes is at least 60"


def test_a_server_that_does_not_start_more_processes_is_noticed(tmp_path, monkeypatch):
    import capacity_simulation

    monkeypatch.setattr(capacity_simulation._Running, "pids", lambda _self: [1, 2])
    search(tmp_path, experiment(tmp_path, ["only"], processes=(1, 2)), capacity=scaled(0.0))
    result = judged(tmp_path)
    assert check(result, "processes").status is CheckStatus.FAIL
    assert "target.processes_env" in check(result, "processes").remedy
    assert result.exit_code == 3


def test_a_window_that_is_not_the_searchs_is_refused(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow"]), capacity=known)
    path = tmp_path / CAPACITY_JOURNAL
    lines = path.read_text().splitlines()
    place = next(place for place, line in enumerate(lines) if json.loads(line)["kind"] == "window")
    window = json.loads(lines[place])
    lines[place] = json.dumps({**window, "rate_rps": window["rate_rps"] * 1.5})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(MeasurementError, match="do not follow from the search"):
        read_sealed_capacity(tmp_path)


def test_two_searches_of_one_variant_are_equivalent_or_say_that_they_cannot_tell(tmp_path):
    search(tmp_path, experiment(tmp_path, ["slow", "slow"]), capacity=known)
    result = judged(tmp_path)
    assert result.gains[0].ratio == pytest.approx(1.0, abs=0.03)
    assert result.gains[0].verdict in {"equivalent", "inconclusive"}
    assert result.exit_code == 0
