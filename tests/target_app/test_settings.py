"""Settings: read from the environment, every problem told at once, strict in production."""

import pytest
from catalogue.models import Product
from config.settings.environment import Environment
from core.toggles import DECLARATION
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from settings_of import GOOD, manage

SHOP = DECLARATION.parent


def test_all_problems_are_told_at_once_without_a_traceback():
    done = manage("check", REDIS_URL="http://x", SHOP_ORM="prefetsch", SHOP_PAGE_SIZE="0")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "the shop's settings are wrong:"
    assert len(done.stderr.splitlines()) == 6
    for problem in (
        "DATABASE_URL is not set: postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        "REDIS_URL is no URL of the form redis://:PASSWORD@HOST:PORT/DATABASE",
        "SECRET_KEY is not set: 50 or more random characters",
        "SHOP_ORM='prefetsch' is no choice: did you mean 'prefetch'?",
        "SHOP_PAGE_SIZE='0' is no whole number of at least 1",
    ):
        assert f"  - {problem}" in done.stderr


def test_production_passes_djangos_own_deployment_check():
    done = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        SHOP_ENV="production",
        SHOP_ALLOWED_HOSTS="shop.example",
        **GOOD,
    )
    assert (done.returncode, done.stdout + done.stderr) == (
        0,
        "System check identified no issues (0 silenced).\n",
    )


def test_production_refuses_what_is_only_good_at_home():
    done = manage("check", SHOP_ENV="production", SHOP_DEBUG="true", **{**GOOD, "SECRET_KEY": "short"})
    assert done.returncode == 2
    assert "SHOP_ALLOWED_HOSTS is not set" in done.stderr
    assert "SHOP_DEBUG=true shows internals" in done.stderr
    assert "SECRET_KEY is too short" in done.stderr


@pytest.mark.parametrize(("where", "shown"), [("production", "False"), ("local", "True")])
def test_production_keeps_the_graphs_schema_to_itself(where, shown):
    code = "from django.conf import settings; print(settings.SHOP_GRAPHQL_INTROSPECTION)"
    choices = {"SHOP_ENV": where, "SHOP_ALLOWED_HOSTS": "shop.example"}
    done = manage("shell", "--no-imports", "--command", code, **choices, **GOOD)
    assert (done.returncode, done.stdout.strip()) == (0, shown)


@pytest.mark.parametrize(("choice", "age"), [("persistent", "None"), ("per_request", "0")])
def test_connections_are_kept_or_not(choice, age):
    code = "from django.db import connection; print(connection.settings_dict['CONN_MAX_AGE'])"
    done = manage("shell", "--no-imports", "--command", code, SHOP_DB_CONNECTIONS=choice, **GOOD)
    assert (done.returncode, done.stdout.strip()) == (0, age)


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", check=True, dry_run=True)


@pytest.mark.django_db
def test_migrations_of_the_reference_shop_go_back_and_forth():
    rows = Product.objects.count(), Product.objects.get(pk=1).stored_review_count
    for app, first in (("catalogue", "0001"), ("customers", "0001")):
        call_command("migrate", app, first, verbosity=0)
        call_command("migrate", app, verbosity=0)
    assert (Product.objects.count(), Product.objects.get(pk=1).stored_review_count) == rows


def test_a_database_url_is_taken_apart():
    parts = Environment(GOOD).postgres("DATABASE_URL")
    assert parts == {
        "NAME": "shop",
        "USER": "ada",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    ("reader", "value", "problem"),
    [
        ("postgres", "mysql://x/y", "X is no URL of the form postgresql://"),
        ("postgres", "postgresql://host", "X is no URL of the form postgresql://"),
        ("postgres", "postgresql://host:99999/db", "X has a port that is no number below 65536"),
        ("redis", "redis://host:port", "X has a port that is no number below 65536"),
    ],
)
def test_wrong_urls(reader, value, problem):
    env = Environment({"X": value})
    getattr(env, reader)("X")
    with pytest.raises(ImproperlyConfigured, match=problem):
        env.check()


def test_wrong_values_fall_back_and_are_noted():
    env = Environment({"RATE": "many/year", "FLAG": "yes", "KIND": "zzz", "HOSTS": "a, b ,"})
    assert env.rate("RATE", "5/s") == "5/s"
    assert env.flag("FLAG", default=True) is True
    assert env.choice("KIND", ("one", "two"), "one") == "one"
    assert env.words("HOSTS", "") == ["a", "b"]
    assert env.text("NAME", "x") == "x"
    assert [problem.split("=")[0] for problem in env.problems] == ["RATE", "FLAG", "KIND"]
    assert "choose from one, two" in env.problems[2]
