"""One outcome of many findings, and its exit code: the design's."""

import pytest

from loadstone.gate.outcome import exit_code, headline, ordered, outcome_of
from loadstone.record.gated import GateFinding, Kind, Outcome, Status


def findings(*statuses):
    return [
        GateFinding(experiment="e", kind=Kind.TIMING, subject="cpu", status=one, message=f"{one}: why\nmore")
        for one in statuses
    ]


@pytest.mark.parametrize(
    ("statuses", "strict", "outcome", "code"),
    [
        ((), False, Outcome.PASSED, 0),
        ((Status.HELD, Status.ACCEPTED, Status.UNMEASURED), True, Outcome.PASSED, 0),
        ((Status.HELD, Status.INCONCLUSIVE), False, Outcome.PASSED, 0),
        ((Status.HELD, Status.INCONCLUSIVE), True, Outcome.INCONCLUSIVE, 4),
        ((Status.INVALID, Status.INCONCLUSIVE), True, Outcome.INVALID, 3),
        ((Status.INVALID, Status.FAILED), True, Outcome.FAILED, 1),
        ((Status.EXPIRED,), False, Outcome.FAILED, 1),
    ],
)
def test_what_failed_failed_and_what_is_open_fails_only_where_asked(statuses, strict, outcome, code):
    found = outcome_of(findings(*statuses), fail_inconclusive=strict)
    assert (found, exit_code(found)) == (outcome, code)


def test_an_interruption_is_no_pass():
    found = outcome_of(findings(Status.HELD), fail_inconclusive=False, interrupted=True)
    assert exit_code(found) == 130


def test_the_headline_never_passes_over_what_is_open():
    told = headline(Outcome.PASSED, findings(Status.HELD, Status.INCONCLUSIVE))
    assert told == "passed: e: inconclusive: why (1 inconclusive, 1 of 2 held)"


def test_the_worst_comes_first_and_else_the_order_stays():
    found = ordered(findings(Status.HELD, Status.INCONCLUSIVE, Status.FAILED, Status.INVALID))
    assert [one.status for one in found] == [
        Status.FAILED,
        Status.INVALID,
        Status.INCONCLUSIVE,
        Status.HELD,
    ]
