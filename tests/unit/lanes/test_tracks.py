"""Generations on several tracks: in the order of the plan, and nothing left running."""

import threading

import pytest

from loadstone.lanes.tracks import Progress, Tracks
from loadstone.record.plan import PlannedGeneration

PLANNED = [PlannedGeneration(index=i, start_order=[0, 1], slots=[0, 1], track=i % 2) for i in range(6)]


def tracks_of(measure, cut_short=lambda _track: None, seen=None):
    told = seen if seen is not None else []
    return Tracks(cores=[(), ()], measure=measure, cut_short=cut_short, on_progress=told.append)


def alive() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("track-")]


def test_results_come_in_the_order_of_the_plan():
    """Track 0 waits for all of track 1, so that its results are late."""
    ready = threading.Event()

    def measure(planned, tell):
        if planned.track == 0:
            assert ready.wait(10)
        elif planned.index == 5:
            ready.set()
        tell(Progress(planned.index, 1.0, 7))
        return planned.index * 10

    seen = []
    with tracks_of(measure, seen=seen).results(PLANNED) as results:
        assert list(results) == [0, 10, 20, 30, 40, 50]
    assert sorted(one.generation for one in seen) == [0, 1, 2, 3, 4, 5]
    assert alive() == []


def test_what_still_runs_at_the_end_is_cut_short():
    cut = [threading.Event(), threading.Event()]

    def measure(planned, _tell):
        if planned.index >= 2:
            assert cut[planned.track].wait(10)
            raise RuntimeError("cut short")
        return planned.index

    with tracks_of(measure, cut_short=lambda track: cut[track].set()).results(PLANNED) as results:
        assert [next(results), next(results)] == [0, 1]
    assert alive() == []
    assert all(one.is_set() for one in cut)


def test_an_error_is_raised_where_its_result_would_have_come():
    def measure(planned, _tell):
        if planned.index == 3:
            raise ValueError("broken")
        return planned.index

    with tracks_of(measure).results(PLANNED) as results, pytest.raises(ValueError, match="broken"):
        list(results)
    assert alive() == []
