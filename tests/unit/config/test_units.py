"""Durations and shares are read as people write them."""

import pytest

from loadstone.config.units import format_duration, parse_duration, parse_share
from loadstone.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("3m", 180), ("1m30s", 90), ("250ms", 0.25), ("1.5 h", 5400)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "3", "m", "-3m", "0s", "3m and more", "1e9"])
def test_bad_durations(text):
    with pytest.raises(ConfigurationError):
        parse_duration(text)


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.5 %", 0.005), ("0.02", 0.02)])
def test_shares(text, share):
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "0", "100%", "-1%", "two", "nan"])
def test_bad_shares(text):
    with pytest.raises(ConfigurationError):
        parse_share(text)


@pytest.mark.parametrize(("seconds", "text"), [(75, "1 min 15 s"), (59.6, "1 min"), (5, "5 s")])
def test_durations_are_told_briefly(seconds, text):
    assert format_duration(seconds) == text
