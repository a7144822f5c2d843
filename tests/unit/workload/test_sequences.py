"""Two users that sent the same have the same hash, wherever and whenever they sent it."""

from types import SimpleNamespace

import pytest

from loadstone.workload.sequences import SequenceHash

HERE = "http://127.0.0.1:1"


def hash_of(*content, base_url=HERE):
    chain = SequenceHash()
    chain.add(SimpleNamespace(method="POST", step="POST /a", path="/a", content=content), base_url)
    return chain.checkpoints[1]


@pytest.mark.parametrize("place", range(3))
def test_parameters_and_bodies_count(place):
    nothing = [None, None, None]
    one, other = list(nothing), list(nothing)
    one[place], other[place] = {"n": 1}, {"n": 2}
    assert len({hash_of(*nothing), hash_of(*one), hash_of(*other)}) == 3


def test_the_order_of_keys_does_not_count():
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})


def test_what_json_does_not_know_is_taken_by_its_looks_without_its_address():
    assert hash_of(object()) == hash_of(object())
    assert hash_of(b"one") != hash_of(b"two")
    assert hash_of({1: "a", "b": 2}) != hash_of({1: "a", "b": 3})


def test_the_address_of_the_variant_does_not_count():
    there = "http://127.0.0.1:2"
    assert hash_of({"next": f"{HERE}/p"}) == hash_of({"next": f"{there}/p"}, base_url=there)
