"""The slowest timed requests: which they were, and how the same request fared elsewhere."""

from runs import Truth, make_plan, make_run

from loadstone.verdict.levels import gather
from loadstone.verdict.slowest import MOST, slowest

NAMES = ["before", "after"]


def observed():
    return gather(2, make_run(make_plan(), Truth(), count=4))


def test_each_variant_has_its_slowest_first_and_no_more_than_the_bound():
    observations = observed()
    found = slowest(observations, NAMES)
    for variant, name in enumerate(NAMES):
        own = [one.service_us for one in found if one.variant == name]
        every = sorted(
            (
                int(us)
                for measured in observations.generations
                for us in measured.rows["service_us"][measured.rows["variant"] == variant]
            ),
            reverse=True,
        )
        assert own == every[:MOST]


def test_a_request_is_named_so_that_its_row_can_be_found_again():
    observations = observed()
    for one in slowest(observations, NAMES):
        measured = observations.generations[one.generation]
        same = measured.rows[measured.rows["pair"] == one.pair]
        sides = dict(zip(same["variant"].tolist(), same["service_us"].tolist(), strict=True))
        other = 1 - NAMES.index(one.variant)
        assert sides[NAMES.index(one.variant)] == one.service_us
        assert one.others_us == {NAMES[other]: sides[other]}
        assert observations.endpoints[int(same["step"][0])] == one.endpoint


def test_no_generation_no_request():
    assert slowest(gather(2, []), NAMES) == []
