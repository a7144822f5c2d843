"""A run that goes on, in words: what is left of it, and how its intervals narrowed."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from runs import make_plan

from loadstone.lanes.follow import Follower
from loadstone.report import going
from loadstone.stats.verdicts import Verdict


@dataclass
class Clock:
    """Seconds that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return what was set."""
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def follower(clock):
    """A run of up to ten generations in 100 s, with looks after 6, 8 and 10."""
    follower = Follower(clock)
    follower.planned(replace(make_plan(10), looks=[6, 8, 10], budget_s=100.0))
    return follower


def test_before_the_first_look_the_plan_tells_what_is_left(follower, clock):
    follower.measuring(0, 0.0, 0)
    clock.now = 20.0
    told = going.remaining(follower.going)
    assert told == "first look after 6 generations, in about 40 s; at most 1 min 20 s to go"


def test_after_a_look_the_pace_that_was_seen_does(follower, clock, results):
    follower.measuring(0, 0.0, 0)
    clock.now = 30.0
    [first, *_] = [one for one in results.improved().contrasts if one.gating]
    open_ = replace(first, verdict=Verdict.INCONCLUSIVE, more_minutes=0.25)
    follower.looked(6, [open_])
    told = going.remaining(follower.going)
    assert told == (
        "next look after 8 generations, in about 10 s; a verdict likely in 15 s; at most 20 s to go"
    )
    follower.looked(6, [replace(open_, more_minutes=5.0)])
    assert "a verdict would likely need 5 min" in going.remaining(follower.going)
    follower.looked(6, [replace(open_, more_minutes=None)])
    assert "verdict" not in going.remaining(follower.going)
    follower.looked(6, [first])
    assert "every metric that decides is decided" in going.remaining(follower.going)


def test_a_run_that_went_on_counts_what_is_left_from_where_it_went_on(follower, clock):
    follower.measuring(4, 0.0, 0)
    clock.now = 5.0
    assert going.remaining(follower.going).endswith("at most 55 s to go")


def test_nothing_is_promised_before_there_is_a_plan():
    assert going.remaining(Follower().going) == ""


def test_every_look_is_told_with_what_it_said_by_itself(results):
    [contrast, *_] = [one for one in results.improved().contrasts if one.gating]
    lines = going.look_lines(contrast)
    assert [one.generations for one in lines] == [one.generations for one in contrast.looks]
    assert lines[-1].verdict is contrast.verdict
    wide = replace(contrast.effect, low=-0.9, high=0.5)
    earlier = replace(contrast, looks=[replace(contrast.looks[0], effect=wide), *contrast.looks[1:]])
    assert going.look_lines(earlier)[0].verdict is Verdict.INCONCLUSIVE


def test_a_step_that_counts_seconds_is_news_once(follower):
    assert follower.step("preparing data, 1 s")
    assert not follower.step("preparing data, 2 s")
    assert follower.step("probing")
