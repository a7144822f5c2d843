"""The file of accepted changes: what an entry says, and where a wrong one is wrong."""

from datetime import date

import pytest

from loadstone.config.accepted import read_accepted
from loadstone.errors import ConfigurationError

ENTRY = """\
[[accepted]]
experiment = "browse"
metric = "latency_mean"
up_to = "10%"
reason = "prices are converted per request until the import does it"
who = "jane@example.org"
until = 2027-01-31
"""


def read(tmp_path, text):
    path = tmp_path / "loadstone.accepted.toml"
    path.write_text(text)
    return read_accepted(path, ["browse", "buy"])


def test_no_file_accepts_nothing(tmp_path):
    assert read_accepted(tmp_path / "none.toml", []) == ()


def test_an_entry_holds_until_the_end_of_its_last_day(tmp_path):
    (entry,) = read(tmp_path, f"# why\n\n{ENTRY}")
    assert (entry.subject, entry.up_to, entry.share, entry.line) == ("latency_mean", 0.1, True, 3)
    assert not entry.expired(date(2027, 1, 31))
    assert entry.expired(date(2027, 2, 1))


@pytest.mark.parametrize(
    ("subject", "up_to", "amount", "share"),
    [
        ('metric = "queries"', "8", 8.0, False),
        ('metric = "response_bytes"', '"20kB"', 20_000.0, False),
        ('metric = "rows"', '"150%"', 1.5, True),
        ('budget = "p99<200ms"', '"250ms"', 250_000.0, False),
        ('budget = "GET /a: errors<0.1%"', '"1%"', 0.01, False),
    ],
)
def test_amounts_are_in_the_unit_of_what_is_accepted(tmp_path, subject, up_to, amount, share):
    text = ENTRY.replace('metric = "latency_mean"', subject).replace('"10%"', up_to)
    (entry,) = read(tmp_path, text)
    assert (entry.up_to, entry.share) == (pytest.approx(amount), share)


@pytest.mark.parametrize(
    ("old", "new", "problem", "line"),
    [
        ('"browse"', '"browze"', "there is no experiment 'browze'", 11),
        ('"latency_mean"', '"latency"', "there is no metric 'latency'", 12),
        ('"10%"', '"10"', "'10' is no amount of latency_mean", 13),
        ('"10%"', '"soon"', "'soon' is no amount", 13),
        ('"jane@example.org"', '" "', "who is empty", 15),
        ("2027-01-31", '"next week"', "until", 16),
        ("until", "untill", "unknown field `untill`", 16),
        ('reason = "prices are converted per request until the import does it"\n', "", "reason", 10),
        ('metric = "latency_mean"', 'budget = "p99<200ms"', "is no other limit", 13),
    ],
)
def test_a_wrong_entry_is_told_with_its_line(tmp_path, old, new, problem, line):
    """The second of two entries is wrong."""
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read(tmp_path, f"{ENTRY}\n\n{ENTRY.replace(old, new)}")
    assert caught.value.cause == f"{tmp_path / 'loadstone.accepted.toml'}:{line}"
    assert caught.value.remedy


def test_other_tables_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="something else"):
        read(tmp_path, "[other]\nx = 1\n")
