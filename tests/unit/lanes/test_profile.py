"""Why there are no stacks, in words that help; and when they are sampled at all."""

import pytest

from loadstone.config.compile import PROFILE_S, Wish, _profile_s
from loadstone.errors import ConfigurationError
from loadstone.lanes.profile import FORBIDDEN, reason_of


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("Permission Denied: Try running again with elevated permissions", FORBIDDEN),
        ("Error: Operation not permitted (os error 1)", FORBIDDEN),
        ("Error: No python processes found in process 7 or any of its subprocesses", "runs Python"),
        ("Error: something that nobody knows", "something that nobody knows"),
        ("", "the sampler gave nothing"),
    ],
)
def test_what_a_sampler_says_becomes_a_reason(log, reason):
    assert reason in reason_of(log)


@pytest.mark.parametrize(
    ("asked", "budget_s", "sampled"),
    [(None, 59.0, 0.0), (None, 60.0, PROFILE_S), (True, 20.0, PROFILE_S), (False, 600.0, 0.0)],
)
def test_stacks_are_sampled_where_asked_for_and_by_default_from_a_minute_on(asked, budget_s, sampled):
    assert _profile_s(Wish("a=1", "a=2", profile=asked), budget_s) == sampled


def test_lanes_without_pairs_sample_none_and_say_so():
    assert _profile_s(Wish("a=1", "a=2", profile=None, lane="probe"), 600.0) == 0.0
    with pytest.raises(ConfigurationError, match="samples no stacks"):
        _profile_s(Wish("a=1", "a=2", profile=True, lane="load"), 600.0)
