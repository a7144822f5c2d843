"""External servers: only what is ours is created, dropped and flushed."""

import pytest
import redis

from loadstone.errors import ConfigurationError, TargetError
from loadstone.target import external
from loadstone.target.external_redis import MARKER_KEY
from loadstone.target.sql import session
from loadstone.target.urls import password_of, with_path

DATABASES = "SELECT datname FROM pg_database WHERE datname LIKE 'loadstone\\_%' ORDER BY 1"


@pytest.fixture
def server(postgres_url):
    with session(postgres_url) as open_session:
        yield open_session
    external.drop_all(postgres_url)


@pytest.fixture
def redis_12(redis_url):
    url = with_path(redis_url, "/12")
    client = redis.Redis.from_url(url)
    yield url
    for number in (12, 13):
        redis.Redis.from_url(with_path(redis_url, f"/{number}")).flushdb()
    client.close()


def names(server):
    return [name for (name,) in server.run(DATABASES)]


def test_slots_are_databases_made_from_marked_templates(
    open_stage, make_variant, server, postgres_url, redis_12
):
    plain, indexed = make_variant("before"), make_variant("after", ddl=("CREATE INDEX ON item (kind)",))
    with open_stage(database_url=postgres_url, redis_url=redis_12) as stage:
        stage.prepare([plain, indexed])
        assert len([name for name in names(server) if "template" in name]) == 2
        with stage.generation([(plain, 0), (indexed, 1)]) as running:
            running.check()
            counts = []
            for each in running:
                with session(each.database_url) as database:
                    counts += database.run("SELECT count(*) FROM item")
                    database.run("DELETE FROM item WHERE id <= 10 RETURNING 1")
            assert counts == [(20_000,), (20_000,)]
            assert running[0].cpu().database_s is None
            assert running[0].cpu().cache_s is None
            assert running[0].cpu().server_s > 0
            assert {each.redis_url[-3:] for each in running} == {"/12", "/13"}
        with (
            stage.generation([(plain, 0)], refill=True) as running,
            session(running[0].database_url) as database,
        ):
            assert database.run("SELECT count(*) FROM item") == [(20_000,)]
    assert all("template" in name for name in names(server))
    assert redis.Redis.from_url(redis_12).dbsize() == 0


def test_a_database_without_the_marker_is_not_dropped(server):
    server.run("CREATE DATABASE loadstone_precious")
    try:
        with pytest.raises(TargetError, match="does not carry loadstone's marker"):
            external.drop(server, "loadstone_precious")
        assert "loadstone_precious" in names(server)
    finally:
        server.run("DROP DATABASE loadstone_precious")


def test_the_marker_alone_is_not_enough_either(server):
    server.run("CREATE DATABASE precious")
    try:
        server.run(f"COMMENT ON DATABASE precious IS '{external.MARKER} template'")
        with pytest.raises(TargetError, match="is left alone"):
            external.drop(server, "precious")
    finally:
        server.run("DROP DATABASE precious")


def test_databases_of_a_killed_run_are_dropped_and_those_of_a_living_one_kept(server, postgres_url):
    for token in ("dead", "alive"):
        server.run(f"CREATE DATABASE loadstone_{token}")
        server.run(f"COMMENT ON DATABASE loadstone_{token} IS '{external.MARKER} run {token}'")
    with session(postgres_url) as other:
        external.lock(other, "alive")
        assert external.drop_orphans(server) == ["loadstone_dead"]
    assert external.drop_orphans(server) == ["loadstone_alive"]


def test_a_redis_that_holds_data_is_not_flushed(open_stage, make_variant, redis_12):
    client = redis.Redis.from_url(redis_12)
    client.set("precious", 1)
    variant = make_variant(needs_postgres=False)
    with (
        open_stage(redis_url=redis_12) as stage,
        pytest.raises(TargetError, match="holds data and is left alone"),
        stage.generation([(variant, 0)]),
    ):
        pass
    assert client.get("precious") == b"1"


def test_a_redis_that_a_living_run_has_marked_is_refused(open_stage, make_variant, redis_12):
    variant = make_variant(needs_postgres=False)
    with open_stage(redis_url=redis_12) as one, one.generation([(variant, 0)]):
        with (
            open_stage(redis_url=redis_12) as other,
            pytest.raises(TargetError, match="is used by another run"),
            other.generation([(variant, 0)]),
        ):
            pass
        assert redis.Redis.from_url(redis_12).get(MARKER_KEY) == one.token.encode()


def test_a_marked_redis_of_a_dead_run_is_taken_over(open_stage, make_variant, redis_12):
    client = redis.Redis.from_url(redis_12)
    client.mset({MARKER_KEY: "0123456789ab", "rest": 1})
    with (
        open_stage(redis_url=redis_12) as stage,
        stage.generation([(make_variant(needs_postgres=False), 0)]),
    ):
        assert client.keys() == [MARKER_KEY.encode()]


@pytest.mark.parametrize(
    "options",
    [
        {"database_url": "postgresql://u:sesame@db.example/x"},
        {"database_url": "postgresql://u:sesame@127.0.0.1/x?host=db.example"},
        {"database_url": "postgresql://u:sesame@127.0.0.1,db.example/x"},
        {"redis_url": "redis://:sesame@cache.example/0"},
        {"database_url": "postgresql://u:sesame@db.example/x", "allowed_hosts": ["other.example"]},
    ],
)
def test_another_machine_must_be_confirmed_by_name(open_stage, options):
    with pytest.raises(ConfigurationError, match="is not this machine") as caught:
        open_stage(**options)
    assert "sesame" not in str(caught.value)
    assert "--allow-host" in caught.value.remedy


def test_a_password_never_shows_when_the_server_refuses(open_stage, postgres_url):
    wrong = postgres_url.replace(password_of(postgres_url), "open-sesame")
    with pytest.raises(TargetError, match="no connection to the database") as caught:
        open_stage(database_url=wrong)
    assert "open-sesame" not in str(caught.value)
