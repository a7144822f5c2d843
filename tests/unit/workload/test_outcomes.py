"""What a status says of how a request ended."""

import pytest

from loadstone.record.observations import Outcome
from loadstone.workload.outcomes import of_report, of_status


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, Outcome.TRANSPORT_ERROR),
        (200, Outcome.OK),
        (204, Outcome.OK),
        (302, Outcome.REDIRECT),
        (304, Outcome.OK),
        (404, Outcome.CLIENT_ERROR),
        (429, Outcome.TOO_MANY_REQUESTS),
        (503, Outcome.SERVER_ERROR),
    ],
)
def test_a_status_tells_the_outcome(status, outcome):
    assert of_status(status) is outcome


def test_a_check_that_fails_on_a_good_answer_is_told_apart():
    assert of_report(304, ValueError("stale")) is Outcome.CHECK_FAILED
    assert of_report(304, None) is Outcome.OK
