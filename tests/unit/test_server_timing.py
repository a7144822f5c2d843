"""The header in which an app says what a request asked of databases and caches."""

import pytest

from loadstone.server_timing import Told, decode, encode


@pytest.mark.parametrize(
    "told",
    [
        Told(queries=2, rows=34, database_ms=3.214, hits=1, misses=2, cache_ms=0.402),
        Told(queries=1, rows=None, database_ms=0.5),
    ],
)
def test_what_is_written_is_read(told):
    assert decode(f'app;dur=3, total;desc="x", {encode(told)}') == told


def test_an_app_may_say_nothing_of_its_caches():
    assert decode('loadstone-db;dur=1;desc="queries=4 rows=9"') == Told(queries=4, rows=9, database_ms=1.0)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "db;dur=3",
        'loadstone-db;dur=x;desc="queries=1"',
        'loadstone-db;dur=1;desc="rows=1"',
        "loadstone-db",
        "é" * 9_000,
    ],
)
def test_anything_else_says_nothing(value):
    assert decode(value) is None
