"""A run goes on only as what it was begun as, and a look that was taken ends it no later and no earlier."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.errors import ConfigurationError
from loadstone.lanes.pair import PairLane
from loadstone.lanes.resuming import CHOSEN, require_same
from loadstone.lanes.view import Silent
from loadstone.record.kept import Kept

OTHERS = {
    "variants": lambda plan: [*plan.variants[:-1], replace(plan.variants[-1], toggles={"orm": "other"})],
    "gating": lambda plan: [*plan.gating, "other"],
    "lanes": lambda plan: (*plan.lanes, "other"),
    "steady": lambda plan: not plan.steady,
}


def keep(plan):
    return Kept(
        folder=Path("a-run"), plan=plan, machine="m", probed=True, generations=[], ended=False,
        started_at="", last_at="",
    )  # fmt: skip


def other(plan, name):
    """Return another value of a field, of its kind."""
    if name in OTHERS:
        return OTHERS[name](plan)
    value = getattr(plan, name)
    return value + 1 if isinstance(value, int | float) else f"{value} other"


def test_the_same_goes_on():
    require_same(keep(make_plan()), make_plan(), "m")


def test_what_the_machine_tells_may_differ():
    again = replace(make_plan(), generation_s=99.0, noise_source="measured", nominal_p=[])
    require_same(keep(make_plan()), again, "m")


@pytest.mark.parametrize("name", CHOSEN)
def test_anything_else_is_refused_by_its_name(name):
    plan = make_plan()
    with pytest.raises(ConfigurationError, match=name.replace("_", " ")):
        require_same(keep(plan), replace(plan, **{name: other(plan, name)}), "m")


def test_another_machine_is_refused():
    with pytest.raises(ConfigurationError, match="another machine"):
        require_same(keep(make_plan()), make_plan(), "n")


def lane(plan, sealed):
    """Return a lane that can start nothing: it must end with what is sealed."""
    return PairLane(None, plan, None, [], None, Silent(), refill=False, sealed=sealed)


def test_data_that_decide_end_it_before_anything_is_started():
    plan = make_plan()
    sealed = make_run(plan, Truth(effect=-0.4, pairs=450), plan.looks[0])
    reason, decided = lane(plan, sealed).run()
    assert decided
    assert reason == f"every gating metric that can be measured is decided after {plan.looks[0]} generations"


def test_what_was_measured_before_counts_for_the_budget():
    plan = make_plan()
    sealed = make_run(plan, Truth(pairs=50), 5)
    seconds = sum(line.duration_s + (line.turnover_s or 0.0) for line, _ in sealed)
    assert seconds > 0
    assert lane(plan, sealed)._lasted_s() == seconds / plan.tracks
