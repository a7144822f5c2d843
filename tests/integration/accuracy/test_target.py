"""The benchmark's target: its variants differ by a cost alone, and its account of the cost is right."""

import json

import psycopg2
import pytest
from truth import read_accounts

LIST, ITEM = "/products?shelf=3&page=2", "/products/17"
WHOLE_CPU, WHOLE_TIME = 1.3, 1.2
"""As in the target's `bench.cost`: its share is of the whole request."""
SIZE = 0.05


@pytest.fixture(scope="module")
def plain(serve):
    """Payloads of a server to which nothing is added, and its sums after two requests."""
    with serve(size="0") as served:
        payloads = served.get(LIST), served.get(ITEM)
        return payloads, served.truth(2)


def test_it_serves_a_page_and_a_product(plain):
    (page, product), _ = plain
    assert [row["id"] for row in json.loads(page)] == [22 + 10 * (n + 26) for n in range(14)]
    assert json.loads(product)["id"] == 17


@pytest.mark.parametrize(
    "toggles",
    [{"kind": kind, "size": "5"} for kind in ("spin", "sleep", "tail", "after")] + [{"query": "one"}],
    ids=lambda toggles: "-".join(toggles.values()),
)
def test_toggles_do_not_change_the_payload(serve, plain, toggles):
    with serve(**toggles) as served:
        assert (served.get(LIST), served.get(ITEM)) == plain[0]


def test_a_dropped_index_does_not_change_the_payload(serve, plain, bench_url):
    database = psycopg2.connect(bench_url)
    database.autocommit = True
    try:
        with database.cursor() as cursor:
            cursor.execute("DROP INDEX goods_by_shelf")
            with serve() as served:
                assert (served.get(LIST), served.get(ITEM)) == plain[0]
            cursor.execute("CREATE INDEX goods_by_shelf ON goods_product (shelf_id, rank)")
    finally:
        database.close()


def test_requests_are_counted_health_checks_are_not(plain):
    assert plain[1]["requests"] == 2


def test_without_a_cost_the_account_holds_no_more_than_bookkeeping(plain):
    """The clocks read CPU of one thread, which other programs do not add to: 5% would be 20 times as much."""
    sums = plain[1]
    assert 0 < sums["added_cpu_ns"] + sums["later_cpu_ns"] < SIZE / 2 * sums["cpu_ns"]


def test_spin_burns_its_share_before_the_answer(serve):
    with serve(kind="spin", size="5") as served:
        for _ in range(5):
            served.get(LIST)
        sums = served.truth(5)
    share = SIZE * WHOLE_CPU * sums["cpu_ns"]
    assert share <= sums["added_cpu_ns"] < 2 * share
    assert sums["added_wall_ns"] >= share
    assert sums["later_cpu_ns"] < share / 2


def test_after_burns_its_share_once_the_answer_is_sent(serve):
    with serve(kind="after", size="5") as served:
        for _ in range(5):
            served.get(LIST)
        sums = served.truth(5)
    share = SIZE * WHOLE_CPU * sums["cpu_ns"]
    assert share <= sums["later_cpu_ns"] < 2 * share
    assert sums["added_cpu_ns"] < share / 2


def test_sleep_takes_its_share_of_time_and_hardly_any_cpu(serve):
    with serve(kind="sleep", size="5") as served:
        for _ in range(5):
            served.get(LIST)
        sums = served.truth(5)
    assert sums["added_wall_ns"] >= SIZE * WHOLE_TIME * sums["cpu_ns"]
    assert sums["added_cpu_ns"] < sums["added_wall_ns"]


def test_tail_burns_all_of_it_on_one_request_of_twenty(serve, tmp_path):
    with serve(kind="tail", size="5", records=str(tmp_path)) as served:
        for _ in range(60):
            served.get(ITEM)
        served.truth(60)
    (process,) = read_accounts(tmp_path)
    entries = process.entries
    struck = entries["added_cpu_ns"] >= 20 * SIZE * WHOLE_CPU * entries["cpu_ns"]
    assert struck.reshape(3, 20).sum(axis=1).tolist() == [1, 1, 1]
    assert process.choices["kind"] == "tail"


def test_one_more_query_is_accounted_for_in_both_processes(serve, plain):
    with serve(query="one") as served:
        served.get(LIST)
        served.get(ITEM)
        sums = served.truth(2)
    assert sums["added_wall_ns"] > plain[1]["added_wall_ns"]
    assert sums["added_cpu_ns"] > plain[1]["added_cpu_ns"]
    assert sums["backend_cpu_ns"] > 0
