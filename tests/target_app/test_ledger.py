"""Counts of a process's requests, kept in plain numbers and handed over page by page."""

import os
import threading
import time

import pytest
from core.ledger import Ledger
from core.tally import Tally

KIND = ("GET", "products", 2)


@pytest.fixture
def pages():
    return []


@pytest.fixture
def ledger(pages):
    return Ledger((0.01, 0.1), lambda *told: pages.append(told))


def answer(ledger, seconds=0.05, kind=KIND, **used):
    ledger.begin()
    ledger.end(kind, seconds, Tally(**used))


def test_a_page_holds_what_came_since_the_last_one(ledger, pages):
    answer(ledger, 0.01, queries=2, query_seconds=0.004, hits=1)
    answer(ledger, 0.02, queries=1, misses=3)
    answer(ledger, 7, ("POST", "orders", 5))
    ledger.write()
    answer(ledger, 0.5)
    ledger.write()
    (first, *_), (second, *_) = pages
    account = first.accounts[KIND]
    assert (account.answered, account.buckets, account.queries) == (2, [1, 1, 0], 3)
    assert (account.seconds, account.query_seconds) == pytest.approx((0.03, 0.004))
    assert (first.hits, first.misses) == (1, 3)
    assert first.accounts["POST", "orders", 5].buckets == [0, 0, 1]
    assert {kind: one.buckets for kind, one in second.accounts.items()} == {KIND: [0, 0, 1]}


def test_what_goes_on_is_told_as_it_is(ledger, pages):
    ledger.begin()
    ledger.begin()
    ledger.connected(3)
    ledger.write()
    ledger.end(None, 1, Tally())
    ledger.connected(-1)
    ledger.write()
    assert [told[1:] for told in pages] == [(2, 3), (1, 2)]
    assert not pages[1][0].accounts


def test_nothing_is_lost_between_threads_and_pages(ledger, pages):
    def work():
        for _ in range(2000):
            answer(ledger, queries=1)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        ledger.write()
    ledger.write()
    accounts = [page.accounts[KIND] for page, *_ in pages if KIND in page.accounts]
    assert sum(one.answered for one in accounts) == sum(one.queries for one in accounts) == 16_000
    assert pages[-1][1] == 0


def test_it_is_written_without_being_told_to(ledger, pages):
    answer(ledger)
    until = time.monotonic() + 60
    while not pages and time.monotonic() < until:
        time.sleep(0.05)
    assert pages[0][0].accounts[KIND].answered == 1


def test_a_fork_counts_from_nothing_and_writes_by_itself(ledger, pages):
    answer(ledger)
    child = os.fork()
    if not child:  # which must not go on as pytest, whatever happens
        pages.clear()
        answer(ledger, 0.5)
        until = time.monotonic() + 60
        while not pages and time.monotonic() < until:
            time.sleep(0.05)
        os._exit(0 if pages[-1][0].accounts[KIND].buckets == [0, 0, 1] else 1)
    assert os.waitpid(child, 0)[1] == 0
    ledger.write()
    assert sum(page.accounts[KIND].answered for page, *_ in pages if KIND in page.accounts) == 1
