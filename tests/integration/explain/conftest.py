"""Where the session's PostgreSQL says what it did."""

import pytest


@pytest.fixture
def server_log(postgres_url, open_folder):
    """Give the log file of the session's PostgreSQL, which stands somewhere in the session's folder."""
    assert postgres_url
    (log,) = (open_folder / "services").rglob("postgres.log")
    return log
