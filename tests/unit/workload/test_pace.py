"""The pace of a core: real samples, and their means over intervals."""

import subprocess
import sys
import time

import numpy as np
import pytest

from loadstone.workload.host_pace import HostPace, mean_pace
from loadstone.workload.pace import CAPACITY, Shared, make_file

SAMPLES = np.array([(10, 100), (20, 200), (30, 100), (40, 400)], dtype=np.int64)


def over(start: int, end: int) -> float:
    return float(np.exp(mean_pace(SAMPLES, np.array([start]), np.array([end]))[0]))


def test_the_mean_is_geometric_over_the_interval():
    assert over(5, 25) == pytest.approx(np.sqrt(100 * 200))
    assert over(15, 45) == pytest.approx((200 * 100 * 400) ** (1 / 3))


def test_an_interval_without_a_sample_takes_the_next():
    assert over(11, 12) == pytest.approx(200)
    assert over(50, 60) == pytest.approx(400)


def test_no_samples_mean_unknown():
    assert mean_pace(np.empty((0, 2), np.int64), np.array([1]), np.array([2])).tolist() == [0.0]


def test_a_sample_far_off_counts_as_little_more_than_usual():
    wild = np.array([(10, 100), (20, 100), (30, 100), (40, 10**9)], dtype=np.int64)
    assert np.exp(mean_pace(wild, np.array([35]), np.array([45]))[0]) == pytest.approx(400)


def test_the_ring_keeps_the_latest(tmp_path):
    make_file(tmp_path / "pace")
    shared = Shared(tmp_path / "pace")
    for number in range(CAPACITY + 5):
        shared.write(number, number + 1)
    kept = shared.samples(0)
    assert kept[-1] == (CAPACITY + 4, CAPACITY + 5)
    assert [at for at, _ in kept] == sorted(at for at, _ in kept)
    assert shared.samples(CAPACITY + 3) == [(CAPACITY + 3, CAPACITY + 4), (CAPACITY + 4, CAPACITY + 5)]


def test_a_real_sampler_samples_while_asked_to(tmp_path):
    make_file(tmp_path / "pace")
    sampler = subprocess.Popen([sys.executable, "-m", "loadstone.workload.pace", str(tmp_path / "pace")])
    try:
        shared = Shared(tmp_path / "pace")
        host = HostPace(str(tmp_path / "pace"))
        begin = time.perf_counter_ns()
        host.start()
        deadline = time.monotonic() + 20
        while shared.count < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        host.stop()
        mean = host.over(np.array([begin]), np.array([time.perf_counter_ns()]))
        assert 1_000 < np.exp(mean[0]) < 10_000_000  # a loop of 300 steps, in nanoseconds
        assert sampler.poll() is None
    finally:
        sampler.kill()
        sampler.wait()


def test_without_a_file_the_pace_is_unknown():
    host = HostPace("")
    host.start()
    assert host.over(np.array([1]), np.array([2])).tolist() == [0.0]
    host.stop()
