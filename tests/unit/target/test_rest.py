"""Rest is told from CPU: work is waited for, idling is not, and patience ends."""

import os
import subprocess

import pytest

from loadstone.target import rest


@pytest.fixture
def used(monkeypatch):
    """Give a function that says how much CPU the processes have used at each reading, in seconds."""

    def says(*readings):
        left = list(readings)
        monkeypatch.setattr(rest, "_used_s", lambda _pids: left.pop(0) if len(left) > 1 else left[0])
        monkeypatch.setattr(rest, "_is_busy", lambda _pid: False)

    return says


def test_nobody_is_at_rest_at_once():
    assert rest.await_rest([], sleep=lambda _: pytest.fail("waited"))


def test_work_is_waited_for(used):
    used(1.0, 2.0, 3.0, 3.0)
    waits = []
    assert rest.await_rest([os.getpid()], sleep=waits.append)
    assert waits == [rest.POLL_S] * 3


def test_what_works_on_and_on_is_given_up(used):
    used(*range(1000))
    assert not rest.await_rest([os.getpid()], sleep=lambda _: None, patience_s=0.0)


def test_what_waits_for_a_core_is_not_at_rest(used, monkeypatch):
    used(1.0)
    answers = [True, True, False]
    monkeypatch.setattr(rest, "_is_busy", lambda _pid: answers.pop(0))
    monkeypatch.setattr(rest, "tree", lambda pid: [pid])
    assert rest.await_rest([os.getpid()], sleep=lambda _: None)
    assert answers == []


def test_we_are_busy_ourselves_and_a_sleeper_is_not():
    assert rest._is_busy(os.getpid())
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        for _ in range(1000):  # until it has started to sleep
            if not rest._is_busy(sleeper.pid):
                break
        assert not rest._is_busy(sleeper.pid)
    finally:
        sleeper.kill()
        sleeper.wait()
