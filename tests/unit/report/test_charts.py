"""Charts tell the truth: everything in its place, nothing beyond what the counts carry."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from loadstone.record.result import Distribution, Effect
from loadstone.report.charts import forest, generations, percentiles, scale, svg


def parsed(chart):
    return ET.fromstring(str(chart))  # noqa: S314 - our own chart


def percents(chart, name):
    return [float(value) for value in re.findall(rf'{name}="(-?[\d.]+)%"', str(chart))]


def test_every_text_and_attribute_is_escaped():
    drawn = svg.element("text", '<b>"&\x1b', class_='"><script>')
    assert parsed(drawn).text == '<b>"&\\u001b'
    assert parsed(drawn).get("class") == '"><script>'


def test_a_halving_is_as_long_as_a_doubling():
    axis = scale.change_scale([-0.5, 1.0], 0.02)
    zero = axis.at(0.0)
    assert zero - axis.at(scale.log_of(-0.5)) == pytest.approx(axis.at(scale.log_of(1.0)) - zero)


@pytest.mark.parametrize(
    "ratios", [[-0.68, -0.66], [0.128, 0.156], [-0.01, 0.01], [-0.3, 0.78], [8.0, 40.0], [-1.0, math.inf]]
)
def test_ticks_keep_their_distance_and_hold_zero(ratios):
    axis = scale.change_scale(ratios, 0.02)
    ticks = scale.change_ticks(axis)
    places = [axis.at(scale.log_of(tick)) for tick in ticks]
    assert 0 in ticks
    assert len(ticks) >= 2
    assert all(later - earlier >= 12.9 for earlier, later in pairwise(places))


def test_linear_ticks_are_round():
    assert scale.linear_ticks(-0.031, 0.012) == pytest.approx([-0.03, -0.02, -0.01, 0.0, 0.01])


def test_log_ticks_lie_inside_and_do_not_crowd():
    ticks = scale.log_ticks(900, 2_100_000)
    assert all(900 <= tick <= 2_100_000 for tick in ticks)
    assert 3 <= len(ticks) <= 8


def test_values_off_the_scale_are_held_to_its_edge():
    axis = scale.Scale(0.0, 1.0)
    assert (axis.at(7.0), axis.at(-7.0)) == (100.0, 0.0)
    assert (axis.beyond(7.0), axis.beyond(-7.0), axis.beyond(0.5)) == (1, -1, 0)


def test_an_interval_is_drawn_between_its_ends(results):
    contrast = results.improved().contrasts[0]
    axis = forest.common_scale([contrast])
    whisker = re.search(
        r'x1="([\d.]+)%" x2="([\d.]+)%"[^>]*class="whisker"', str(forest.row(contrast, axis, 0.02))
    )
    assert float(whisker[1]) == pytest.approx(axis.at(scale.log_of(contrast.effect.low)), abs=0.01)
    assert float(whisker[2]) == pytest.approx(axis.at(scale.log_of(contrast.effect.high)), abs=0.01)


def test_an_end_without_bound_is_an_arrow_at_the_edge(results):
    effect = Effect(kind="ratio", estimate=-0.1, low=-1.0, high=math.inf, level=0.99)
    contrast = replace(results.improved().contrasts[0], effect=effect)
    drawn = str(forest.row(contrast, forest.common_scale([contrast]), 0.02))
    assert svg.LEFTWARDS in drawn
    assert svg.RIGHTWARDS in drawn


def test_a_difference_is_drawn_in_units_of_its_margin(results):
    errors = next(one for one in results.regressed().contrasts if one.metric == "errors")
    axis = scale.change_scale([-0.3, 0.3], 0.02)
    at_margin = replace(
        errors, effect=Effect(kind="difference", estimate=0.001, low=0.001, high=0.001, level=0.99)
    )
    whisker = re.search(r'x1="([\d.]+)%"[^>]*class="whisker"', str(forest.row(at_margin, axis, 0.02)))
    assert float(whisker[1]) == pytest.approx(axis.at(math.log1p(0.02)), abs=0.01)


def test_only_quantiles_that_the_count_carries():
    quantiles = [(q, 1000.0 * (1 + q)) for q in (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)]
    told = Distribution(endpoint=None, variant="before", count=2000, mean_us=1500, quantiles=quantiles)
    assert [q for q, _ in percentiles.supported(told)] == [0.0, 0.5, 0.9, 0.95, 0.99]
    assert 0.999 not in percentiles.stops(told)


def test_too_few_requests_draw_nothing():
    told = Distribution(
        endpoint=None, variant="before", count=5, mean_us=1, quantiles=[(0.0, 1.0), (0.5, 2.0)]
    )
    assert percentiles.draw([percentiles.Line(0, "before", told)], "x") == ""


def test_the_slower_variant_lies_higher(results):
    result = results.improved()
    told = [one for one in result.distributions if one.endpoint is None]
    lines = [percentiles.Line(place, one.variant, one) for place, one in enumerate(told)]
    titles = re.findall(
        r'<svg x="[\d.]+%" y="([\d.]+)%"[^>]*><title>(\w+): p50', str(percentiles.draw(lines, "x"))
    )
    heights = {name: float(y) for y, name in titles}
    assert heights["before"] < heights["after"]


def test_each_generation_is_a_dot_marked_by_who_started_first(results):
    result = results.improved()
    drawn = str(generations.draw(result.generations, result.contrasts[0], "x"))
    assert drawn.count("dot first") == drawn.count("dot second") == 4
    assert "generation 1: −66" in drawn


def test_zero_that_is_far_away_is_left_off_and_said_so(results):
    far, near = results.improved(), results.inconclusive()
    assert not generations.shows_zero(far.generations, far.contrasts[0])
    assert generations.shows_zero(near.generations, near.contrasts[0])


def test_every_look_is_drawn(results):
    result = results.improved()
    drawn = str(generations.draw(result.generations, result.contrasts[0], "x"))
    assert drawn.count('y2="') >= len(result.contrasts[0].looks)
    assert 'class="look"' in drawn


def test_effects_of_a_third_variant_come_from_its_own_levels(results):
    result = results.three_variants()
    second, third = (
        next(one for one in result.contrasts if one.metric == "latency_mean" and one.variant == name)
        for name in ("after", "after2")
    )
    gap = (
        generations.series(result.generations, third)[0][1]
        - generations.series(result.generations, second)[0][1]
    )
    assert gap == pytest.approx(math.log(1.2))


def test_every_chart_is_well_formed_and_inside_its_frame(any_result):
    for contrast in any_result.contrasts:
        axis = forest.common_scale(any_result.contrasts)
        drawn = forest.row(contrast, axis, 0.02)
        if drawn:
            parsed(drawn)
            assert all(-0.01 <= x <= 100.01 for name in ("x", "x1", "x2") for x in percents(drawn, name))
