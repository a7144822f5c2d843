"""Waiting for a database can be interrupted, and leaves nothing running there."""

import os
import signal
import socket
import threading
import time

import pytest

from loadstone.errors import TargetError
from loadstone.target.sql import session
from loadstone.target.stage import Stage

SLEEPERS = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"


def sleepers(server):
    return server.run(SLEEPERS)[0][0]


@pytest.fixture
def interruptible():
    """Whoever started the tests may have ignored SIGINT; Python then leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_the_statement_here_and_on_the_server(postgres_url):
    def interrupt():
        with session(postgres_url) as watching:
            while sleepers(watching) == 0:
                time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    with session(postgres_url) as waiting:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            waiting.run("SELECT pg_sleep(60)")
        thread.join()
    with session(postgres_url) as watching:
        for _ in range(200):
            if sleepers(watching) == 0:
                break
            time.sleep(0.01)
        assert sleepers(watching) == 0


def test_a_server_that_accepts_but_never_answers_is_given_up():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"postgresql://u:sesame@127.0.0.1:{mute.getsockname()[1]}/x"
        with pytest.raises(TargetError, match="no connection") as caught, session(url, timeout_s=1):
            pass
    assert caught.value.cause == "no answer within 1 s"


def test_each_statement_is_a_transaction_and_a_refused_one_spoils_nothing(postgres_url):
    with session(postgres_url) as server:
        with pytest.raises(TargetError, match="refused"):
            server.run("SELECT 1 / 0")
        server.run("VACUUM")  # not possible within a transaction
        assert server.run("SELECT generate_series(1, %s)", [2]) == [(1,), (2,)]


def test_a_stage_on_a_database_that_has_gone_closes(open_stage, postgres_url):
    stage = open_stage(database_url=postgres_url)
    with session(postgres_url) as server:
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND application_name = 'loadstone'"
        )
    stage.close()
    stage.close()


def test_a_stage_that_cannot_be_opened_leaves_no_state_folder(open_folder):
    wanted = open_folder / "unopened"
    with pytest.raises(TargetError, match="no connection"):
        Stage(wanted, database_url="postgresql://127.0.0.1:1/x")
    assert not wanted.exists()
