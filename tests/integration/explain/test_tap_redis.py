"""The tap in front of a real Redis, held against what that server counts itself."""

import threading
from urllib.parse import urlsplit

import pytest
import redis

from loadstone.explain.tap_redis import RedisTap


@pytest.fixture
def server(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def tap(redis_url):
    parts = urlsplit(redis_url)
    with RedisTap(parts.hostname, parts.port) as tap:
        yield tap
        assert tap.incomplete == ""


@pytest.fixture(params=[2, 3])
def client(request, tap, redis_url, server):
    """A client through the tap, in either version of the protocol."""
    parts = urlsplit(redis_url)
    login, at, _ = parts.netloc.rpartition("@")
    url = parts._replace(netloc=f"{login}{at}127.0.0.1:{tap.port}").geturl()
    with redis.Redis.from_url(url, protocol=request.param) as client:
        assert client.ping()
        assert server.ping()
        tap.drain()
        yield client


def facts(tap):
    return [(one.name, one.key_pattern, one.hits, one.misses) for one in tap.drain()]


def test_hits_and_misses_agree_with_the_server(client, tap, server):
    before = server.info("stats")
    client.mset({f"user:{number}": "x" for number in range(5)})
    for number in range(10):
        client.get(f"user:{number}")
    client.mget(["user:1", "user:77", "user:2"])
    client.hget("user:hash", "field")
    seen, after = tap.drain(), server.info("stats")
    assert {one.key_pattern for one in seen} == {"user:*", "user:hash"}
    assert sum(one.hits for one in seen) == after["keyspace_hits"] - before["keyspace_hits"] == 7
    assert sum(one.misses for one in seen) == after["keyspace_misses"] - before["keyspace_misses"] == 7


def test_pipelines_and_transactions_count_each_command(client, tap):
    with client.pipeline(transaction=False) as pipeline:
        pipeline.set("a", "1").get("a").get("b").execute()
    assert facts(tap) == [("SET", "a", 0, 0), ("GET", "a", 1, 0), ("GET", "b", 0, 1)]
    with client.pipeline(transaction=True) as pipeline:
        pipeline.get("a").mget("a", "b").incrby("a", 1).execute()
    seen = tap.drain()
    assert [(one.name, one.control) for one in seen] == [
        ("MULTI", True),
        ("GET", False),
        ("MGET", False),
        ("INCRBY", False),
        ("EXEC", True),
    ]
    assert [(one.hits, one.misses) for one in seen[1:3]] == [(1, 0), (1, 1)]


def test_scripts_and_errors(client, tap):
    assert client.eval("return redis.call('GET', KEYS[1])", 1, "none:1") is None
    client.set("text", "x")
    with pytest.raises(redis.ResponseError):
        client.lpush("text", 1)
    seen = tap.drain()
    assert [(one.name, one.key_pattern, one.error) for one in seen] == [
        ("EVAL", "none:*", ""),
        ("SET", "text", ""),
        ("LPUSH", "text", "WRONGTYPE"),
    ]


def test_published_messages_are_no_replies(client, tap):
    with client.pubsub() as channel:
        channel.subscribe("news")
        assert channel.get_message(timeout=5)["type"] == "subscribe"
        client.publish("news", "hello")
        assert channel.get_message(timeout=5)["data"] == b"hello"
        channel.unsubscribe()
        assert channel.get_message(timeout=5)["type"] == "unsubscribe"
    names = [one.name for one in tap.drain() if not one.control]
    assert sorted(names) == ["PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"]


def test_large_values_pass_whole_and_are_weighed(client, tap):
    value = bytes(range(256)) * 40_000
    client.set("big", value)
    assert client.get("big") == value
    put, got = tap.drain()
    assert put.bytes_in == got.bytes_out + len(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n")
    assert got.bytes_out == len(value) + len("$10240000\r\n\r\n")


def test_many_connections_lose_nothing_by_the_server_s_own_count(client, tap, server):
    def work():
        for number in range(200):
            client.get(f"key:{number}")

    server.config_resetstat()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gets = [one for one in tap.drain() if one.name == "GET"]
    assert len(gets) == server.info("commandstats")["cmdstat_get"]["calls"] == 1600
