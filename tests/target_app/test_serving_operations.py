"""Running the shop: backups that come back, migrations both ways, indexes while it serves, a good end."""

import os
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import closing
from urllib.error import URLError

import psycopg2
import pytest
from core.toggles import DECLARATION
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from serving import await_ready, fetch, send

SHOP = DECLARATION.parent
SECRET = {"SECRET_KEY": "for tests only " * 5}
OURS = ("catalogue", "customers", "orders")
OTHER = '{"format": 1, "at": "", "migrations": ["orders.0099"], "tables": []}'
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
ROWS = "SELECT md5(string_agg(row::text, '' ORDER BY row::text)) FROM {} AS row"


SHELL = ("shell", "--no-imports", "--command")
RESTORE = """
import os
from django.core.management import CommandError, call_command

path = os.environ["ROWS"]
call_command("migrate", "catalogue", "zero", verbosity=0)
call_command("migrate", verbosity=0)
call_command("restore", path)
call_command("restore", path, replace=True)
try:
    call_command("restore", path)
except CommandError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def another(postgres_url, shop_redis_url):
    """Give the URL of a database beside the shop's, migrated and without rows."""
    with closing(psycopg2.connect(postgres_url)) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop_restored")
            url = f"{postgres_url.rpartition('/')[0]}/shop_restored"
            variables = os.environ | SECRET | {"DATABASE_URL": url, "REDIS_URL": shop_redis_url}
            code, said = manage(variables, "migrate", "--verbosity", "0")
            assert code == 0, said
            yield url
            cursor.execute("DROP DATABASE shop_restored WITH (FORCE)")


def manage(environment, *words, **variables):
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=SHOP,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def digests(url):
    with closing(psycopg2.connect(url)) as server, server.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        names = [name for (name,) in cursor.fetchall() if not name.startswith(("silk_", "django_"))]
        found = {}
        for name in names:
            cursor.execute(ROWS.format(name))
            found[name] = cursor.fetchone()[0]
        return found


@pytest.mark.django_db
def test_a_backup_comes_back_and_migrations_go_both_ways(environment, another, tmp_path):
    path = tmp_path / "shop.zip"
    code, said = manage(environment, "backup", str(path))
    assert code == 0, said
    assert "rows of" in said
    code, said = manage(
        environment, "shell", "--no-imports", "-c", RESTORE, ROWS=str(path), DATABASE_URL=another
    )
    assert code == 0, said
    assert said.splitlines()[-1] == "auth_user has rows already; --replace removes them all"
    expected = digests(environment["DATABASE_URL"])
    assert len([digest for digest in expected.values() if digest]) > 9
    assert digests(another) == expected
    with closing(psycopg2.connect(another)) as server, server.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalogue_brand (name, slug, country) VALUES ('a', 'a', 'DE') RETURNING id"
        )
        assert cursor.fetchone()[0] > 8  # sequences go on behind the rows


@pytest.mark.django_db
def test_what_is_no_archive_is_refused_before_anything_is_touched(tmp_path):
    plain, damaged, other = (tmp_path / name for name in ("plain", "damaged.zip", "other.zip"))
    plain.write_text("no archive")
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("manifest.json", '{"format": 7}')
    with zipfile.ZipFile(damaged, "w") as packed:
        packed.writestr("catalogue_brand.copy", "1\tNorwick")
    damaged.write_bytes(damaged.read_bytes().replace(b"Norwick", b"Norwack"))
    for path, says in (
        (tmp_path / "missing", "no archive of this shop"),
        (plain, "no archive of this shop"),
        (other, "format 7, and this version reads 1"),
        (damaged, "is damaged: catalogue_brand.copy"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("restore", str(path))


@pytest.mark.django_db
def test_a_backup_of_other_migrations_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "shop.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("manifest.json", OTHER)
    with pytest.raises(CommandError, match="is applied in this database alone"):
        call_command("restore", str(path))
    monkeypatch.setattr("core.archive._migrations", list)
    with pytest.raises(CommandError, match=r"orders\.0099 is applied in the backup alone"):
        call_command("restore", str(path))


@pytest.mark.django_db
def test_every_migration_can_be_taken_back():
    loader = MigrationLoader(connection)
    steps = [
        (key, operation)
        for key, migration in loader.disk_migrations.items()
        for operation in migration.operations
        if key[0] in OURS
    ]
    assert len(steps) > 10
    assert [(key, operation) for key, operation in steps if not operation.reversible] == []


@pytest.mark.django_db
def test_indexes_are_built_while_others_write(environment, another):
    """A writer that came before holds the build up; but for CONCURRENTLY, those after would wait as well."""
    there = environment | {"DATABASE_URL": another, "SHOP_INDEXES": "single"}
    sql = "INSERT INTO catalogue_brand (name, slug, country) VALUES (%s, %s, 'DE')"
    product = "UPDATE catalogue_product SET stock = stock WHERE id = %s"
    early, late = (psycopg2.connect(another) for _ in range(2))
    with closing(early), closing(late), early.cursor() as first, late.cursor() as second:
        first.execute(sql, ["b", "b"])
        first.execute(product, [1])
        build = subprocess.Popen([sys.executable, "manage.py", "apply_indexes"], cwd=SHOP, env=there)
        _await(second, f"{WAITING} 'CREATE INDEX%'")
        second.execute("SET lock_timeout = '2s'")
        second.execute(product, [2])
        late.commit()
        assert build.poll() is None  # it still waits for the first
        early.commit()
        assert build.wait(timeout=30) == 0
        second.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'product_price'")
        assert second.fetchone()[0] == 1
        late.commit()
        second.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'product_price'::regclass")
        late.commit()
    assert manage(there, "apply_indexes")[0] == 0
    with closing(psycopg2.connect(another)) as server, server.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'product_price'::regclass")
        assert cursor.fetchone()[0] is True  # what was broken off is built anew


def _await(cursor, sql):
    for _ in range(400):
        cursor.execute(sql)
        if cursor.fetchone():
            cursor.connection.rollback()
            return
        cursor.connection.rollback()
        time.sleep(0.05)
    raise AssertionError(sql)


@pytest.mark.django_db
def test_a_server_that_is_told_to_end_answers_what_it_has_begun(serve, environment):
    base, child, log = serve(SHOP_GRACE_SECONDS="30")
    await_ready(base, child, log)
    customer = 1
    opinion = {"author": customer, "rating": 5, "title": "Late", "body": "But there."}
    answers = []
    with closing(psycopg2.connect(environment["DATABASE_URL"])) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM catalogue_product WHERE id = 1 FOR UPDATE")
        asking = threading.Thread(
            target=lambda: answers.append(send(f"{base}/api/v2/products/1/reviews", opinion, timeout=60))
        )
        asking.start()
        _await_waiting(environment["DATABASE_URL"])
        child.process.terminate()
        _await_refused(base)
        assert answers == []
        holder.rollback()
        asking.join(timeout=60)
    assert [status for status, _ in answers] == [201]
    assert child.process.wait(timeout=60) == 0


def _await_waiting(url):
    with closing(psycopg2.connect(url)) as server, server.cursor() as cursor:
        _await(cursor, f"{WAITING} '%catalogue_product%'")


def _await_refused(base):
    for _ in range(400):
        try:
            fetch(f"{base}/health/live")
        except (URLError, ConnectionError, TimeoutError):
            return
        time.sleep(0.05)
    raise AssertionError("it still takes requests")
