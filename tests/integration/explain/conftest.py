"""Where the session's PostgreSQL says what it did."""

import pytest


@pytest.fixture
def server_log(postgres_url, service_state, supervisor):
    """Give the log file of the session's PostgreSQL, once that runs."""
    log = service_state.slots / supervisor.token / "postgres.log"
    assert postgres_url
    assert log.is_file()
    return log
