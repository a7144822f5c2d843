"""What a status says of how a request ended."""

import pytest

from loadstone.record.observations import Outcome
from loadstone.workload.observation import Observation
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


class HTTPParseError(Exception):
    """As geventhttpclient has one."""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (HTTPParseError("Invalid EOF state"), Outcome.TRANSPORT_ERROR),
        (ConnectionResetError(), Outcome.TRANSPORT_ERROR),
        (TimeoutError("timed out"), Outcome.TIMEOUT),
        (OSError("no such file"), Outcome.CHECK_FAILED),
        (AssertionError("no price"), Outcome.CHECK_FAILED),
    ],
)
def test_an_answer_that_breaks_off_behind_its_head_is_told_apart_from_one_that_fails_a_check(error, outcome):
    assert of_report(200, error) is outcome
    assert Observation(status=200, exception=error, reported=True).outcome() is outcome


def test_a_check_that_fails_on_a_good_answer_is_told_apart():
    assert of_report(304, ValueError("stale")) is Outcome.CHECK_FAILED
    assert of_report(304, None) is Outcome.OK
