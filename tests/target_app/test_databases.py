"""Other databases, by URL: the same tests, and a clear word where a choice needs PostgreSQL."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from config.settings.environment import Environment
from core.availability import VENDORS, missing, resolve
from core.toggles import declared
from settings_of import GOOD, manage

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAME = ("api", "accounts", "clients", "reviews", "versions")
URLS = {"sqlite": "sqlite:///:memory:", "mysql": os.environ.get("SHOP_TEST_MYSQL_URL", "")}
ON_SQLITE = GOOD | {"DATABASE_URL": "sqlite:///:memory:"}


@pytest.mark.parametrize("vendor", URLS)
def test_the_same_tests_pass_elsewhere(vendor):
    if not URLS[vendor]:
        pytest.skip("no server: SHOP_TEST_MYSQL_URL is not set")
    files = [str(HERE / f"test_{name}.py") for name in SAME]
    # Those tests find their settings themselves, once they know where the shop is.
    variables = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", *files],
        cwd=ROOT,
        env=variables | {"SHOP_TEST_DATABASE_URL": URLS[vendor]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|skipped)", done.stdout)}
    assert counts["passed"] > 100
    assert 0 < counts["skipped"] < counts["passed"] / 4  # what needs PostgreSQL, and no more


def test_what_needs_postgres_says_so():
    done = manage("check", **ON_SQLITE, SHOP_COUNT="estimated", SHOP_ORM="values")
    assert done.returncode == 2
    assert "orm=values is not available on SQLite: choose from naive, select_related" in done.stderr
    assert "count=estimated is not available on SQLite: choose from exact, none" in done.stderr


def test_another_choice_stands_in_for_a_default_that_is_missing():
    code = "from django.conf import settings; print(settings.TOGGLES['search'])"
    done = manage("shell", "--no-imports", "--command", code, **ON_SQLITE)
    assert (done.returncode, done.stdout.strip()) == (0, "icontains")


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_toggle_has_a_choice_everywhere(vendor):
    toggles = declared()
    defaults = {name: toggle.default for name, toggle in toggles.items()}
    found, problems = resolve(
        vendor, defaults, defaults, {name: each.choices for name, each in toggles.items()}
    )
    assert problems == []
    for name, choice in found.items():
        assert choice in toggles[name].choices
        assert choice not in missing(vendor, name)
        assert set(missing(vendor, name)) < set(toggles[name].choices)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:///", "X is no URL of the form sqlite:"),
        ("sqlite://host/file", "X is no URL of the form sqlite:"),
        ("mysql://ada@host/", "X is no URL of the form mysql://"),
        ("oracle://host/db", "X is no URL of the form postgresql://"),
    ],
)
def test_wrong_urls(url, problem):
    env = Environment({"X": url})
    env.database("X")
    assert any(each.startswith(problem) for each in env.problems)


def test_good_urls():
    env = Environment({"S": "sqlite:////var/shop.db", "M": "mariadb://ada:p%40ss@db:3307/shop"})
    assert env.database("S")["NAME"] == "/var/shop.db"
    parts = env.database("M")
    assert parts["ENGINE"] == "django.db.backends.mysql"
    assert [parts[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "shop",
        "ada",
        "p@ss",
        "db",
        "3307",
    ]
