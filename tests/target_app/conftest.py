"""The shop under test: its settings, its own database on the session's PostgreSQL, a seeded catalogue."""

import os
import sys
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import pytest

from loadstone.target.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "target_app"
sys.path[:0] = [str(SHOP), str(Path(__file__).parent / "support")]
OTHER_DATABASE = os.environ.get("SHOP_TEST_DATABASE_URL", "")
"""Where it is set, the tests run on that database instead of the session's PostgreSQL."""
# Where the services are is known once they run; until then the addresses only have to be well-formed.
PLACEHOLDERS = {
    "DATABASE_URL": OTHER_DATABASE or "postgresql://nobody@127.0.0.1/shop",
    "REDIS_URL": "redis://127.0.0.1/9",
    "SECRET_KEY": "for tests only " * 5,
}
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ |= PLACEHOLDERS

import django  # noqa: E402 - settings are read at the first import
from django.conf import settings as shop_settings  # noqa: E402

# raises on N+1 queries, where a test opens its context
shop_settings.INSTALLED_APPS += ["zeal"]
shop_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow
django.setup()
for name in PLACEHOLDERS:  # other tests have nothing to do with them
    del os.environ[name]

from django.core.cache import cache, caches  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import override_settings  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402


@pytest.fixture(scope="session")
def shop_redis_url(redis_url):
    return f"{redis_url.rpartition('/')[0]}/9"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, shop_redis_url):
    """Point the settings to the session's services."""
    from config.settings.environment import Environment

    if not OTHER_DATABASE:
        url = request.getfixturevalue("postgres_url")
        offer_maintenance_database(url)
        connection.settings_dict |= Environment({"DATABASE_URL": url}).postgres("DATABASE_URL")
    for name in ("default", "fragments"):
        shop_settings.CACHES[name]["LOCATION"] = shop_redis_url
        with suppress(AttributeError):  # nobody asked for it yet
            del caches[name]


def offer_maintenance_database(url):
    """Make the database `postgres`, from which Django makes test databases, where there is none."""
    server = psycopg2.connect(url)
    server.autocommit = True
    with closing(server), server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'postgres'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE postgres")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):  # noqa: ARG001 - extends its namesake
    """Fill the test database once; each test's own changes are rolled back."""
    from django.conf import global_settings
    from populations import TINY
    from seeding import loading
    from seeding.accounts import open_accounts
    from seeding.population import Population

    with django_db_blocker.unblock():
        loading.load(Population(TINY, seed=1), lambda _table, _share: None)
        with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):
            open_accounts()  # for shops that run as processes of their own, with their own settings


@pytest.fixture(autouse=True)
def _empty_cache(django_db_modify_db_settings):  # noqa: ARG001 - after it the address is known
    cache.clear()


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def choose(settings):
    """Give a function that sets toggles for the test."""

    def set_toggles(**choices):
        from core.availability import missing

        for name, choice in choices.items():
            if choice in missing(connection.vendor, name):
                pytest.skip(f"{name}={choice} is not available here")
        settings.TOGGLES = {**settings.TOGGLES, **choices}

    return set_toggles


@pytest.fixture
def environment(shop_redis_url, postgres_url):
    """Give the environment of a shop that runs as a process of its own, on the test database."""
    from django.db import connections

    name = connections["default"].settings_dict["NAME"]
    base = postgres_url.rpartition("/")[0]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("SHOP_")}
    return variables | PLACEHOLDERS | {"DATABASE_URL": f"{base}/{name}", "REDIS_URL": shop_redis_url}


@pytest.fixture
def serve(supervisor, environment, tmp_path, db):  # noqa: ARG001 - db: the database must be there
    """Give a function that starts the shop and returns its address, process and log."""
    started, ports = [], Ports()

    def start(**variables):
        port, log = ports.take(), tmp_path / "server.log"
        argv = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "gunicorn.conf.py",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        env = environment | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)} | variables
        child = supervisor.start("shop", [*argv, "config.wsgi"], log=log, cwd=SHOP, env=env)
        started.append(child)
        return f"http://127.0.0.1:{port}", child, log

    yield start
    supervisor.stop(*started, grace_s=5)
    ports.close()
