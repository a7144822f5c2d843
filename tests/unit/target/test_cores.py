"""Which cores tracks get: physical ones apart, a spare for each generator where there is one."""

import os

from loadstone.target.cores import Track, allot, physical_cores, usable_cores


def test_two_cores_are_a_track_each():
    assert allot([0, 1], 2, pinned=True) == [Track(0, (0,), (0,)), Track(1, (1,), (1,))]


def test_a_spare_core_takes_the_generator():
    assert allot([0, 1], 1, pinned=True) == [Track(0, (0,), (1,))]
    assert allot([0, 2, 1, 3], 2, pinned=True) == [Track(0, (0,), (1,)), Track(1, (2,), (3,))]


def test_without_a_core_for_each_nothing_is_bound():
    assert allot([0], 2, pinned=True) == [Track(0), Track(1)]
    assert allot([0, 1], 1, pinned=False) == [Track(0)]


def test_siblings_of_one_physical_core_come_last(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3})
    for core, siblings in enumerate(["0,1", "0,1", "2,3", "2,3"]):
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    assert usable_cores(tmp_path) == [0, 2, 1, 3]
    assert physical_cores(tmp_path) == 2
