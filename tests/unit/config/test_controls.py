"""The controls are copies of before in all that a server could notice."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from loadstone.config.controls import with_controls
from loadstone.config.model import Recipe, Variant
from loadstone.errors import ConfigurationError
from loadstone.record.plan import Control

BEFORE = Variant(
    name="before",
    label="orm=naive",
    argv=("serve",),
    directory=Path("/"),
    env={"ORM": "naive", "SECRET_KEY": "alike"},
    recipe=Recipe(prepare=(), size="small", seed=1),
    health_path="/",
    python=Path("/usr/bin/python3"),
    toggles={"orm": "naive"},
)
AFTER = replace(BEFORE, name="after", label="orm=prefetch", env={"ORM": "prefetch"})
LANES = ("probe", "pair")


def test_controls_differ_from_before_in_name_and_part_alone():
    before, after, copy, spiked = with_controls((BEFORE, AFTER), in_flight=1, lanes=LANES)
    assert (before, after) == (BEFORE, AFTER)
    for control in (copy, spiked):
        differing = {
            one.name for one in fields(Variant) if getattr(control, one.name) != getattr(before, one.name)
        }
        assert differing == {"name", "label", "control"}
        assert control.recipe.key == before.recipe.key
    assert [one.control for one in (copy, spiked)] == [Control.SILENCE, Control.SPEECH]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"in_flight": 4, "lanes": LANES}, "in flight"),
        ({"in_flight": 1, "lanes": ("probe",)}, "nothing is timed"),
    ],
)
def test_controls_are_refused_where_they_could_show_nothing(how, says):
    with pytest.raises(ConfigurationError, match=says):
        with_controls((BEFORE, AFTER), **how)
