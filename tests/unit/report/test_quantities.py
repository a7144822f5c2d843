"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from loadstone.report import quantities


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (59_213, "us", "59.2 ms"),
        (840, "us", "840 µs"),
        (1_240_000, "us", "1.24 s"),
        (0.031, "s", "31.0 ms"),
        (2.5, "s", "2.50 s"),
        (0.004, "share", "0.4%"),
        (0, "share", "0%"),
        (12_431, "bytes", "12.4 kB"),
        (8_323_411_968, "bytes", "8.32 GB"),
        (61.0, "count", "61"),
        (7, "rows", "7 rows"),
    ],
)
def test_three_digits_and_a_unit(value, unit, text):
    assert quantities.quantity(value, unit) == text


def test_unavailable_is_not_zero():
    assert quantities.quantity(None, "us") == "not available"
    assert quantities.count(None) == "not available"


@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    [(-0.70, -0.66, 0), (-0.664, -0.661, 1), (-0.011, 0.005, 1), (-0.0011, 0.0003, 2), (-math.inf, 1.0, 1)],
)
def test_an_interval_gets_the_decimals_that_tell_its_ends_apart(low, high, decimals):
    assert quantities.percent_decimals(low, high) == decimals


def test_zero_has_no_sign():
    assert quantities.signed_percent(-0.0001, 1) == "0.0%"
    assert quantities.signed_percent(-0.011, 1) == "−1.1%"
    assert quantities.signed_percent(0.5, 0) == "+50%"


@pytest.mark.parametrize(("seconds", "text"), [(41, "41 s"), (120, "2 min"), (170, "2 min 50 s")])
def test_durations(seconds, text):
    assert quantities.duration(seconds) == text


def test_minutes_are_rounded_up():
    assert quantities.minutes(13.2) == "about 14 more minutes"
    assert quantities.minutes(0.2) == "about 1 more minute"


def test_numbers_that_are_none_are_said_so():
    assert quantities.significant(math.inf) == "unbounded"
    assert quantities.significant(math.nan) == "unknown"


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("2026-03-01T10:00:00+00:00", "2026-03-01 10:00:00 UTC"),
        ("2026-03-01T10:00:00.175+02:00", "2026-03-01 08:00:00 UTC"),
        ("2026-03-01T10:00:00", "2026-03-01 10:00:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("<b>once</b>", "<b>once</b>"),
    ],
)
def test_a_moment_is_told_in_utc_and_what_is_none_stays(stamp, text):
    assert quantities.moment(stamp) == text
