"""How answers leave the shop: written, compressed, or left out."""

import gzip
import json

import pytest
from factories import ProductFactory
from orders.services import Item, place_order

pytestmark = pytest.mark.django_db
LIST = "/api/v1/products?page_size=50"


@pytest.mark.parametrize("path", [LIST, "/api/v1/products/1", "/api/v1/products/0", "/api/v1/best-sellers"])
def test_orjson_writes_the_same(api, choose, path):
    expected = api.get(path)
    choose(renderer="orjson")
    answer = api.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (expected.status_code, expected["Content-Type"])
    assert json.loads(answer.content) == json.loads(expected.content)


def test_compressed_answers_hold_the_same_in_less(api, choose):
    plain = api.get(LIST)
    choose(compression="gzip")
    answer = api.get(LIST, headers={"accept-encoding": "gzip, deflate"})
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == plain.content
    assert int(answer["Content-Length"]) < len(plain.content) / 3


def test_nobody_is_sent_what_they_cannot_read(api, choose):
    choose(compression="gzip")
    answer = api.get(LIST)
    assert "Content-Encoding" not in answer
    assert answer["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in api.get("/health/live", headers={"accept-encoding": "gzip"})


@pytest.mark.parametrize("compression", ["off", "gzip"])
def test_who_has_the_answer_is_told_so(api, choose, compression, customer_order):
    choose(conditional="on", compression=compression)
    path, order = customer_order
    first = api.get(path, headers={"accept-encoding": "gzip"})
    kept = {"accept-encoding": "gzip", "if-none-match": first["ETag"]}
    again = api.get(path, headers=kept)
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"].removeprefix("W/") == first["ETag"].removeprefix("W/")  # compressed: weak
    order()
    assert api.get(path, headers=kept).status_code == 200


@pytest.fixture
def customer_order():
    """A product's address, and what changes the product."""
    from factories import CustomerFactory

    product = ProductFactory(description="It shines. " * 40)
    return f"/api/v1/products/{product.pk}", lambda: place_order(CustomerFactory(), [Item(product.pk, 1)])


def test_answers_have_no_tag_unless_chosen(api):
    answer = api.get(LIST)
    assert "ETag" not in answer
    assert api.get(LIST, headers={"if-none-match": '"x"'}).status_code == 200


def test_letters_find_parts_of_words_and_stems_do_not(api, choose):
    lamp = ProductFactory(name="Zyzzyva lamp", description="Bright.")
    ids = {}
    for search in ("icontains", "fulltext"):
        choose(search=search)
        ids[search] = [
            [row["id"] for row in api.get(f"/api/v1/search?q={words}").json()["results"]]
            for words in ("zyzz", "ZYZZYVA lamps", "zyzzyva lamp", "zyzzyva -lamp", "zyzzyva -oak")
        ]
    assert ids["icontains"] == [[lamp.pk], [], [lamp.pk], [], [lamp.pk]]
    assert ids["fulltext"] == [[], [lamp.pk], [lamp.pk], [], [lamp.pk]]


def test_letters_are_no_pattern(api, choose):
    choose(search="icontains")
    ProductFactory(name="Plain", description="Nothing special.")
    assert api.get("/api/v1/search?q=%25_%25zz").json()["results"] == []
