"""A stage starts variants side by side, each with services and data of its own."""

import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
import redis

from loadstone.errors import TargetError
from loadstone.target.recipes import template_key
from loadstone.target.sql import session

COUNT = "SELECT count(*) FROM item"
COLUMN_STATISTICS = """
    SELECT attname, n_distinct, correlation,
      most_common_vals::text, most_common_freqs::text, histogram_bounds::text
    FROM pg_stats WHERE tablename = 'item' AND attname IN ('id', 'kind', 'label') ORDER BY attname
"""
TABLE_STATISTICS = "SELECT reltuples, relpages, relallvisible FROM pg_class WHERE relname = 'item'"


def ask(url):
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback, over HTTP
        return json.load(answer)


def rows(url, statement):
    with session(url) as database:
        return database.run(statement)


def check_for_5_s(running):
    for _ in range(500):
        running.check()
        time.sleep(0.01)


def test_variants_run_side_by_side_with_services_of_their_own(stage, make_variant):
    before, after = make_variant("before"), make_variant("after")
    with stage.generation([(before, 0), (after, 1)], refill=True) as running:
        first, second = running
        rows(first.database_url, "DELETE FROM item WHERE id <= 100 RETURNING 1")
        redis.Redis.from_url(first.redis_url).set("key", 1)
        assert rows(first.database_url, COUNT) == [(19_900,)]
        assert rows(second.database_url, COUNT) == [(20_000,)]
        assert redis.Redis.from_url(second.redis_url).dbsize() == 0
        assert (running["after"].slot, running["before"].slot) == (1, 0)


def test_placeholders_reach_the_server_and_its_scratch_folder_is_empty(stage, make_variant):
    with stage.generation([(make_variant(), 1)]) as running:
        environment = ask(running[0].base_url + "/env")
        assert environment["DATABASE_URL"] == running[0].database_url
        assert environment["REDIS_URL"] == running[0].redis_url
        assert list(Path(environment["SCRATCH"]).iterdir()) == []


def test_a_template_is_built_once_and_used_by_later_runs(open_stage, make_variant):
    variant = make_variant(size="500")
    told = []
    assert open_stage().prepare([variant], lambda *what: told.append(what))["before"].built
    assert ("preparing data (1 of 1): seed.py 500 7", None) in told
    assert not open_stage().prepare([variant])["before"].built


def test_ddl_is_applied_to_a_copy_and_leaves_the_statistics_of_its_base_alone(stage, make_variant):
    """Where ANALYZE samples at random, only equal statistics give comparable plans."""
    size = "40000"
    plain = make_variant("before", size=size)
    ddl = ("CREATE INDEX item_kind ON item (kind)", "ALTER TABLE item ADD COLUMN note text DEFAULT 'x'")
    indexed = make_variant("after", size=size, ddl=ddl)
    templates = stage.prepare([plain, indexed])
    assert templates["after"].manifest.analysed == ["ANALYZE public.item (note)"]
    with stage.generation([(plain, 0), (indexed, 1)]) as running:
        seen = [rows(each.database_url, COLUMN_STATISTICS) for each in running]
        assert seen[0] == seen[1]
        assert len(seen[0]) == 3
        tables = [rows(each.database_url, TABLE_STATISTICS) for each in running]
        assert tables[0] == tables[1]
        assert tables[0][0][0] == 40_000
        index = "SELECT indexname FROM pg_indexes WHERE tablename = 'item'"
        assert [rows(each.database_url, index) for each in running] == [[], [("item_kind",)]]


def test_ddl_that_touches_rows_has_its_table_vacuumed(stage, make_variant):
    ddl = ("UPDATE item SET label = 'x' WHERE kind = 1", "CREATE TABLE extra AS SELECT 1 AS one")
    template = stage.prepare([make_variant(size="500", ddl=ddl)])["before"]
    assert template.manifest.analysed == [
        "VACUUM (FREEZE) public.extra",
        "VACUUM (FREEZE) public.item",
        "ANALYZE public.extra",
    ]


def test_recipes_stay_with_variants_when_slots_are_swapped(stage, make_variant):
    before, after = make_variant("before"), make_variant("after", size="500")
    for cast in ([(before, 0), (after, 1)], [(after, 0), (before, 1)]):
        with stage.generation(cast, refill=True) as running:
            assert [each.variant.name for each in running] == [variant.name for variant, _ in cast]
            assert rows(running["before"].database_url, COUNT) == [(20_000,)]
            assert rows(running["after"].database_url, COUNT) == [(500,)]


def test_data_last_through_generations_unless_they_are_refilled(stage, make_variant):
    variant = make_variant()
    counts = []
    for refill in (True, False, True):
        with stage.generation([(variant, 0)], refill=refill) as running:
            counts += rows(running[0].database_url, COUNT)
            rows(running[0].database_url, "DELETE FROM item WHERE id <= 100 RETURNING 1")
    assert counts == [(20_000,), (19_900,), (20_000,)]


def test_every_generation_starts_with_an_empty_redis(stage, make_variant):
    for _ in range(2):
        with stage.generation([(make_variant(), 0)]) as running:
            client = redis.Redis.from_url(running[0].redis_url)
            assert client.dbsize() == 0
            client.set("key", 1)


def test_urls_given_to_the_server_can_be_replaced(stage, make_variant):
    rewire = lambda slot, database, cache: (f"tap{slot}:{len(database) > 0}", f"tap:{cache[:5]}")  # noqa: E731
    with stage.generation([(make_variant(), 1)], refill=True, rewire=rewire) as running:
        environment = ask(running[0].base_url + "/env")
        assert (environment["DATABASE_URL"], environment["REDIS_URL"]) == ("tap1:True", "tap:redis")
        assert rows(running[0].database_url, COUNT) == [(20_000,)]


def test_a_variant_without_services_gets_none(stage, make_variant):
    variant = make_variant(needs_postgres=False, needs_redis=False)
    assert stage.prepare([variant]) == {"before": None}
    with stage.generation([(variant, 0)]) as running:
        assert (running[0].database_url, running[0].redis_url) == ("", "")
        assert (running[0].cpu().database_s, running[0].cpu().cache_s) == (0.0, 0.0)


LEAST_S = 0.04
"""Less than either part of the next test uses, and more than what goes on beside it."""


def test_cpu_of_server_and_database_are_counted_apart(stage, make_variant):
    with stage.generation([(make_variant(), 0)]) as running:
        start = running[0].cpu()
        for _ in range(20):
            ask(running[0].base_url + "/burn")
        served = running[0].cpu() - start
        rows(running[0].database_url, "SELECT sum(length(md5(i::text))) FROM generate_series(1, 300000) i")
        until = time.monotonic() + 20
        queried = running[0].cpu() - start
        while queried.database_s < LEAST_S and time.monotonic() < until:
            time.sleep(0.05)  # what a backend used is known once it is gone
            queried = running[0].cpu() - start
        assert served.server_s > LEAST_S > served.database_s
        assert queried.database_s - served.database_s > LEAST_S > queried.server_s - served.server_s
        assert running[0].memory_bytes() > 1 << 20


@pytest.mark.parametrize("part", [0, 1, 2], ids=["postgres", "redis", "server"])
def test_a_process_that_dies_is_named_with_its_log(stage, make_variant, part):
    with stage.generation([(make_variant(), 0)]) as running:
        running.check()
        child = running[0].children()[part]
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(TargetError) as caught:
            check_for_5_s(running)
        assert child.name in caught.value.problem
        assert "killed by SIGKILL" in caught.value.problem
        assert "of slot 0" in child.name or "server of before" in child.name


def test_a_backend_that_crashes_takes_its_server_down_so_that_it_is_noticed(stage, make_variant):
    with (
        stage.generation([(make_variant(), 0)]) as running,
        session(running[0].database_url) as database,
    ):
        os.kill(database.run("SELECT pg_backend_pid()")[0][0], signal.SIGKILL)
        with pytest.raises(TargetError, match="PostgreSQL of slot 0"):
            check_for_5_s(running)


def test_a_killed_postgres_leaves_no_shared_memory(stage, make_variant):
    with stage.generation([(make_variant(), 0)]) as running:
        postmaster = running[0].children()[0].pid
        maps = Path(f"/proc/{postmaster}/maps").read_text().split()
        shared = {Path(word) for word in maps if "/PostgreSQL." in word}
        assert shared
        os.kill(postmaster, signal.SIGKILL)
    assert not any(path.exists() for path in shared)
    creators = [line.split()[4] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    assert str(postmaster) not in creators


def test_a_slot_takes_one_variant(stage, make_variant):
    for cast in ([], [(make_variant(), 2)], [(make_variant(), 0), (make_variant("after"), 0)]):
        with pytest.raises(TargetError, match="cannot be put into slots"), stage.generation(cast):
            pass


def test_two_runs_share_templates_and_nothing_else(stage, open_stage, make_variant):
    variant = make_variant()
    other = open_stage()
    with stage.generation([(variant, 0)], refill=True) as mine, other.generation([(variant, 0)]) as theirs:
        rows(mine[0].database_url, "DELETE FROM item WHERE id <= 100 RETURNING 1")
        assert rows(theirs[0].database_url, COUNT) == [(20_000,)]
        assert stage.home != other.home


def test_a_damaged_template_is_built_again(open_stage, make_variant, project):
    variant = make_variant(ddl=("SELECT 1",))
    first = open_stage()
    first.prepare([variant])
    first.close()
    (project / ".loadstone" / "templates" / template_key(variant.recipe) / "manifest.json").write_text(
        '{"key"'
    )
    assert open_stage().prepare([variant])["before"].built
