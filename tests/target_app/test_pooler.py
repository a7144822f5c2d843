"""PgBouncer before PostgreSQL, where it is installed (toggle `db_connections`)."""

import os
import shutil
import signal
import stat
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from factories import CustomerFactory, ProductFactory
from serving import await_ready, fetch, send
from settings_of import GOOD, manage

from loadstone.target.cpu import tree

pytestmark = pytest.mark.django_db(transaction=True)
installed = pytest.mark.skipif(not shutil.which("pgbouncer"), reason="no program pgbouncer is on the PATH")


def named(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()


def connections_since(environment, begun):
    """Return how many connections clients opened to the shop's database since `begun` still exist."""
    text = """
        SELECT clock_timestamp(), count(*) FILTER (WHERE backend_start > %s AND pid <> pg_backend_pid())
        FROM pg_stat_activity WHERE datname = current_database()
    """
    asking = psycopg2.connect(environment["DATABASE_URL"])
    with closing(asking), asking.cursor() as cursor:
        cursor.execute(text, (begun,))
        return cursor.fetchone()


@pytest.fixture
def temporary():
    """Give a folder for temporary ones, into which the user can reach that PgBouncer becomes below root."""
    with tempfile.TemporaryDirectory(prefix="loadstone-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@installed
def test_many_threads_share_a_few_connections(serve, supervisor, environment, temporary):
    customer, products = CustomerFactory(), [ProductFactory(stock=9).pk for _ in range(3)]
    begun, _ = connections_since(environment, None)  # those of other tests' servers may go meanwhile
    base, child, log = serve(
        SHOP_DB_CONNECTIONS="pgbouncer", SHOP_THREADS="16", SHOP_POOL_SIZE="2", TMPDIR=str(temporary)
    )
    await_ready(base, child, log)
    (pooler,) = [pid for pid in tree(child.pid) if named(pid) == "pgbouncer"]
    (folder,) = temporary.glob("shop-pooler-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder / "pgbouncer.ini").exists()  # it holds a password
    with ThreadPoolExecutor(16) as pool:
        asked = list(
            pool.map(lambda n: fetch(f"{base}/api/v1/products/{products[n % len(products)]}"), range(200))
        )
    assert {status for status, _ in asked} == {200}
    assert 1 <= connections_since(environment, begun)[1] <= 2
    order = {"lines": [{"product": products[0], "quantity": 1}], "customer": customer.pk}
    assert send(f"{base}/api/v1/orders", order)[0] == 201
    supervisor.stop(child, grace_s=5)
    assert not Path(f"/proc/{pooler}").exists()
    assert not list(temporary.iterdir())


@installed
def test_the_pooler_dies_with_a_server_that_is_killed(serve, temporary):
    base, child, log = serve(SHOP_DB_CONNECTIONS="pgbouncer", TMPDIR=str(temporary))
    await_ready(base, child, log)
    (pooler,) = [pid for pid in tree(child.pid) if named(pid) == "pgbouncer"]
    os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pooler}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_without_the_program_the_choice_says_so(tmp_path):
    done = manage("check", **GOOD, SHOP_DB_CONNECTIONS="pgbouncer", PATH=str(tmp_path))
    assert done.returncode == 2
    assert (
        "SHOP_DB_CONNECTIONS='pgbouncer' is not available here: no program pgbouncer is on the PATH"
        in done.stderr
    )
