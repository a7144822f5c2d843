"""The graph: one answer whichever way it is fetched, few queries with loaders, limits before any query."""

import json

import pytest
from catalogue.models import Brand, Product
from graph import limits, selectors
from graph.fetching import FETCHES, Fetch
from graph.limits import Size, measure
from graph.schema import schema
from graphql import GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type, parse
from zeal import zeal_context

pytestmark = pytest.mark.django_db
PAGE = """query Page($first: Int = 20) { products(first: $first) {
  id name slug description price stock createdAt rating reviewCount
  brand { name country } category { slug parent { name parent { name } } } tags
  reviews(first: 3) { rating title body isVerified author { name country } }
} }"""
QUERIES = (
    PAGE,
    '{ products(category: "kitchen", offset: 3) { id brand { slug products(first: 2) { id rating } } } }',
    "{ brands(first: 3) { id products { name tags } } }",
    "{ product(id: 1) { reviews { author { id } } } none: product(id: 999999) { id } }",
    '{ products(category: "missing") { id } }',
)
INTROSPECTION = "{ __schema { types { name } } }"
MODES = ("naive", "dataloader")


@pytest.fixture
def ask(api):
    """Give a function that asks the graph and returns status and body."""

    def post(query, **variables):
        answer = api.post("/graphql/", {"query": query, "variables": variables}, format="json")
        return answer.status_code, answer.json()

    return post


def size_of(query, **variables):
    return measure(parse(query), schema._schema, variables)


@pytest.mark.parametrize("rating", ["computed", "annotated", "stored"])
@pytest.mark.parametrize("query", QUERIES)
def test_loaders_answer_what_each_object_would(ask, choose, query, rating):
    answers = []
    for mode in MODES:
        choose(graphql=mode, rating=rating)
        answers.append(ask(query))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert "errors" not in answers[0][1]


def test_the_graph_shows_what_the_lists_show(api, ask):
    rows = api.get("/api/v1/products?ordering=-id&page_size=20").json()["results"]
    shown = ask(PAGE)[1]["data"]["products"]
    told = [(row["id"], row["price"], row["rating"], row["reviewCount"], row["tags"]) for row in shown]
    assert told == [
        (row["id"], row["price"], row["rating"], row["review_count"], row["tags"]) for row in rows
    ]
    assert [row["category"]["slug"] for row in shown] == [row["category"]["slug"] for row in rows]


@pytest.mark.parametrize("rows", [2, 20])
def test_loaders_query_once_a_level(ask, choose, django_assert_num_queries, rows):
    """Products, brands, categories, the two levels above, tags, reviews, authors: however many rows."""
    choose(graphql="dataloader")
    with django_assert_num_queries(8):
        assert ask(PAGE, first=rows)[0] == 200


def test_without_loaders_every_object_queries(ask, choose, django_assert_num_queries):
    choose(graphql="naive")
    rows = list(Product.objects.filter(is_active=True).order_by("-id")[:20])
    above = sum(1 + (row.category.parent.parent_id is not None) for row in rows)
    reviews = sum(min(3, row.reviews.count()) for row in rows)
    with django_assert_num_queries(1 + 4 * 20 + above + reviews):
        ask(PAGE)


@pytest.mark.parametrize("query", QUERIES)
def test_loaders_fetch_nothing_row_by_row(ask, choose, query):
    choose(graphql="dataloader")
    with zeal_context():
        assert "errors" not in ask(query)[1]


def test_the_detector_raises_where_objects_fetch_for_themselves(ask, choose, caplog):
    choose(graphql="naive")
    with zeal_context():
        told = ask(PAGE)[1]
    assert told["errors"][0]["message"] == "Unexpected error."
    assert "N+1 detected" in caplog.text


def test_queries_come_by_get_too(api):
    answer = api.get(
        "/graphql/", {"query": "query A($n: Int!) { brands(first: $n) { id } }", "variables": '{"n": 2}'}
    )
    assert len(answer.json()["data"]["brands"]) == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_query_that_goes_in_circles_is_refused_before_any_query(
    ask, choose, django_assert_num_queries, mode
):
    choose(graphql=mode)
    circles = "brand { products(first: 1) { " * 10
    with django_assert_num_queries(0):
        status, told = ask("{ products(first: 1) { " + circles + "id" + " } }" * 10 + " } }")
    assert status == 400
    assert told["data"] is None
    assert told["errors"] == [
        {
            "message": "The query is too deep: it asks for 22 levels, and 6 are allowed. "
            "Ask for fewer levels, or for fewer rows with `first`.",
            "extensions": {"code": "TOO_DEEP", "limit": 6},
        }
    ]


@pytest.mark.parametrize("levels", [330, 30_000])
def test_a_depth_bomb_is_refused_while_it_is_read(ask, levels):
    status, told = ask("{brands" * levels + "{id}" + "}" * levels)
    assert status == 400
    assert "nested too deeply" in told["errors"][0]["message"]


def test_a_long_query_is_refused_while_it_is_read(ask):
    status, told = ask("{" + "id " * 2_000 + "}")
    assert status == 400
    assert "more than 1000 tokens" in told["errors"][0]["message"]


def test_a_bomb_of_fragments_is_measured_once_a_fragment(ask, django_assert_num_queries):
    """Thirty fragments that spread the next one twice are a thousand million fields."""
    bomb = "query { brands(first: 1) { ...f0 } }" + "".join(
        f" fragment f{n} on Brand {{ ...f{n + 1} ...f{n + 1} }}" for n in range(30)
    )
    with django_assert_num_queries(0):
        status, told = ask(bomb + " fragment f30 on Brand { id }")
    assert (status, told["errors"][0]["extensions"]["code"]) == (400, "TOO_COSTLY")
    assert "up to 1073741825 fields" in told["errors"][0]["message"]


def test_fragments_in_a_circle_are_left_to_validation(ask):
    status, told = ask("{ brands { ...a } } fragment a on Brand { ...b } fragment b on Brand { ...a }")
    assert status == 400
    assert "Cannot spread fragment" in told["errors"][0]["message"]


def test_aliases_count(ask, django_assert_num_queries):
    one = "products(first: 100) { id name slug }"
    assert size_of(f"{{ {one} }}") == Size(2, 301)
    assert ask(f"{{ {one} }}")[0] == 200
    many = " ".join(f"a{number}: {one}" for number in range(7))
    with django_assert_num_queries(0):
        status, told = ask(f"{{ {many} }}")
    assert status == 400
    assert "up to 2107 fields, and 2000 are allowed" in told["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ brands { id } }", {}, 21),
        ("{ brands(first: 3) { id } }", {}, 4),
        ("{ brands(first: 3) { products { id } } }", {}, 34),
        ("{ brands(first: 3) { ...on Brand { id name } } }", {}, 7),
        ("query ($n: Int!) { brands(first: $n) { id } }", {"n": 5}, 6),
        ("query ($n: Int = 7) { brands(first: $n) { id } }", {}, 8),
        ("query ($n: Int = 7) { brands(first: $n) { id } }", {"n": 9}, 10),
        ("query ($n: Int!) { brands(first: $n) { id } }", {"n": "5"}, 101),
        ("{ brands(first: -5) { id } }", {}, 101),
        ("{ brands(first: 1000000) { id } }", {}, 101),
        ("{ products(first: 2) { tags } }", {}, 3),
        ("{ nonsense { id } }", {}, 2),
        ("query A { brands { id } } query B { brands(first: 50) { id } }", {}, 51),
        (INTROSPECTION, {}, limits.INTROSPECTION_COST),
        ("{ __typename }", {}, 1),
    ],
)
def test_costs(query, variables, cost):
    assert size_of(query, **variables).cost == cost


@pytest.mark.parametrize("argument", ["first: 0", "first: 101", "first: -1", "offset: -1"])
def test_arguments_out_of_range_are_told(ask, argument):
    status, told = ask(f"{{ products({argument}) {{ id }} }}")
    assert status == 200
    assert "must be between" in told["errors"][0]["message"]


@pytest.mark.parametrize("mode", MODES)
def test_whether_the_schema_may_be_asked_for(ask, choose, settings, mode):
    choose(graphql=mode)
    assert "Product" in {each["name"] for each in ask(INTROSPECTION)[1]["data"]["__schema"]["types"]}
    settings.SHOP_GRAPHQL_INTROSPECTION = False
    status, told = ask(INTROSPECTION)
    assert status == 400
    assert "introspection has been disabled" in told["errors"][0]["message"]
    assert ask("{ __typename }") == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("mode", MODES)
def test_errors_of_the_shop_are_logged_and_not_shown(ask, choose, monkeypatch, caplog, mode):
    def fail(_):
        raise ValueError("secret")

    choose(graphql=mode)
    monkeypatch.setattr(selectors, "brands", fail)
    _, told = ask("{ brands { id } }")
    assert "secret" not in json.dumps(told)
    assert told["errors"][0]["message"] == "Unexpected error."
    assert "secret" in caplog.text


def test_what_clients_get_wrong_is_not_logged(ask, caplog):
    assert ask("{ nonsense }")[0] == ask("{")[0] == 400
    assert caplog.text == ""


def test_the_graph_is_throttled_as_the_rest(ask, choose, settings):
    settings.SHOP_THROTTLE_RATE = "1/hour"
    choose(throttle="redis")
    assert ask("{ __typename }")[0] == 200
    assert ask("{ __typename }")[0] == 429


def test_every_list_of_objects_says_how_many_at_most():
    lists = [
        (kind.name, name, field.args)
        for kind in schema._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList)
        and isinstance(get_named_type(field.type), GraphQLObjectType)
    ]
    assert len(lists) == 4
    assert all("first" in args for _, _, args in lists)


def test_every_way_to_fetch_knows_all_that_is_asked_for():
    names = {name for name in vars(Fetch) if not name.startswith("_")}
    for kind in FETCHES.values():
        assert names == {name for name in vars(kind) if not name.startswith("_")}


def test_missing_rows_of_a_batch_are_empty_or_nothing():
    assert selectors.tag_names([]) == {}
    assert selectors.by_key(Brand, [0]) == {}
