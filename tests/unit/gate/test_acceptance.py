"""What may pass although it fails, up to which amount and until which day."""

from datetime import date
from pathlib import Path

import pytest

from loadstone.config.accepted import Accepted
from loadstone.gate.acceptance import apply
from loadstone.record.gated import GateFinding, Kind, Status

ROOT = Path("/repo")
TODAY = date(2026, 5, 1)


def finding(kind=Kind.TIMING, subject="latency_mean", status=Status.FAILED, **more):
    return GateFinding(experiment="browse", kind=kind, subject=subject, status=status, message="slow", **more)


def entry(subject="latency_mean", up_to=0.1, *, share=True, until=date(2026, 6, 1), endpoint=None):
    return Accepted(
        experiment="browse",
        subject=subject,
        endpoint=endpoint,
        up_to=up_to,
        share=share,
        told="so much",
        reason="the import comes first",
        who="jane",
        until=until,
        path="/repo/loadstone.accepted.toml",
        line=4,
    )


def test_a_regression_within_what_was_accepted_passes_and_is_shown():
    (found,) = apply([finding(estimate=0.08)], [entry()], TODAY, ROOT)
    assert found.status is Status.ACCEPTED
    assert (found.acceptance.file, found.acceptance.line) == ("loadstone.accepted.toml", 4)
    assert (found.acceptance.who, found.acceptance.until) == ("jane", "2026-06-01")


def test_more_than_was_accepted_fails():
    (found,) = apply([finding(estimate=0.12)], [entry()], TODAY, ROOT)
    assert found.status is Status.FAILED
    assert "beyond what was accepted: up to so much" in found.message


def test_an_entry_that_is_over_fails_and_says_so():
    (found,) = apply([finding(estimate=0.08)], [entry(until=date(2026, 4, 30))], TODAY, ROOT)
    assert found.status is Status.EXPIRED
    assert "accepted by jane until 2026-04-30, which is over: the import comes first" in found.message
    assert "renewed" in found.remedy


def test_an_entry_that_is_over_and_not_needed_is_only_told():
    held = finding(status=Status.HELD, estimate=0.0)
    found = apply([held], [entry(until=date(2026, 4, 30))], TODAY, ROOT)
    assert [one.status for one in found] == [Status.HELD, Status.HELD]
    assert found[1].remedy == "remove the entry"


@pytest.mark.parametrize(
    "other", [entry("cpu"), entry(endpoint="GET /list"), entry("queries", 9.0, share=False)]
)
def test_an_entry_concerns_only_what_it_names(other):
    (found,) = apply([finding(estimate=0.05)], [other], TODAY, ROOT)
    assert found.status is Status.FAILED


@pytest.mark.parametrize(
    ("one", "accepted", "status"),
    [
        (
            finding(Kind.EXACT, "queries", before=2.0, after=3.0),
            entry("queries", 3.0, share=False),
            "accepted",
        ),
        (finding(Kind.EXACT, "queries", before=2.0, after=4.0), entry("queries", 3.0, share=False), "failed"),
        (finding(Kind.EXACT, "rows", before=10.0, after=15.0), entry("rows", 0.5), "accepted"),
        (finding(Kind.EXACT, "rows", before=10.0, after=16.0), entry("rows", 0.5), "failed"),
        (finding(Kind.BUDGET, "p99<1ms", after=2000.0), entry("p99<1ms", 2500.0, share=False), "accepted"),
        (finding(Kind.BUDGET, "p99<1ms", after=2600.0), entry("p99<1ms", 2500.0, share=False), "failed"),
        (finding(subject="throughput", estimate=-0.08), entry("throughput"), "accepted"),
        (finding(subject="throughput", estimate=-0.12), entry("throughput"), "failed"),
        (finding(estimate=None), entry(), "failed"),
    ],
)
def test_amounts_are_levels_of_facts_limits_of_budgets_and_shares_of_metrics(one, accepted, status):
    (found,) = apply([one], [accepted], TODAY, ROOT)
    assert found.status == status


def test_what_is_invalid_or_open_cannot_be_accepted():
    for status in (Status.INVALID, Status.INCONCLUSIVE):
        (found,) = apply([finding(status=status, estimate=0.01)], [entry()], TODAY, ROOT)
        assert found.status is status
