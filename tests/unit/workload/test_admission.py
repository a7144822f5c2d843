"""Who is let in, and what a newcomer is told before it takes part."""

import pytest

from loadstone import __version__
from loadstone.workload.admission import Admission
from loadstone.workload.load_protocol import OpenSides, Ping, Pong, SidesOpen
from loadstone.workload.protocol import Failed, Hello, Load, Loaded, Stop
from loadstone.workload.team import Letter, Team, Worker

OPEN = OpenSides(sides=[], key=[1], users=1, most_users=1, most_backlog=1)


def knock(admission: Admission, **changes) -> list:
    """Let a worker knock; return what it is sent from now on."""
    sent = []
    hello = Hello(**{"token": "t", "pid": 1, "locust_version": "", "version": __version__, **changes})
    admission.knock(Worker("new", hello, sent.append, remote=True))
    return sent


def test_a_newcomer_learns_what_the_others_know_then_its_clock_is_read_then_it_is_one_of_them():
    admission = Admission(Team(), "t", [Load(scenario="s"), OPEN])
    sent = knock(admission)
    assert isinstance(sent[-1], Load)
    assert admission.take(Letter("new", Loaded(user_classes=["A"]), 0)) is None
    assert isinstance(sent[-1], OpenSides)
    assert admission.take(Letter("new", SidesOpen(), 0)) is None
    joined = None
    while joined is None:
        ping = sent[-1]
        assert isinstance(ping, Ping)
        assert "new" not in admission.team.workers
        joined = admission.take(Letter("new", Pong(number=ping.number, clock_ns=5), 2**62))
    assert joined == "new"
    assert admission.team.workers["new"].clock.bound_ns > 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"token": "wrong"}, "token"), ({"token": ""}, "token"), ({"version": "0.0.0"}, "runs Loadstone 0.0.0")],
)
def test_strangers_and_other_versions_are_turned_away(changes, reason):
    admission = Admission(Team(), "t")
    sent = knock(admission, **changes)
    assert [type(one) for one in sent] == [Failed, Stop]
    assert reason in sent[0].problem == admission.refused["new"]


def test_once_the_door_is_shut_nobody_comes_in():
    admission = Admission(Team(), "t", open=False)
    assert "has begun" in knock(admission)[0].problem


def test_one_that_cannot_do_it_is_no_candidate_any_more():
    admission = Admission(Team(), "t", [Load(scenario="s")])
    knock(admission)
    failed = Failed(problem="the scenario cannot be imported", cause="", remedy="")
    assert admission.take(Letter("new", failed, 0)) is None
    assert admission.take(Letter("new", Loaded(user_classes=[]), 0)) is None
    assert admission.refused == {"new": "the scenario cannot be imported"}
