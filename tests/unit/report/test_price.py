"""Price and slowest requests in every format: a place of their own, never folded away."""

import io

import pytest
from msgspec.structs import replace
from pages import Tree
from rich.console import Console

from loadstone.record.priced import Price, SlowRequest
from loadstone.record.probed import Footprint, ProbedRequest, StatementFact
from loadstone.report import html, markdown, price, terminal

HOSTILE = "<script>|`\u202e"
MEMORY = Price(
    name="memory_bytes",
    unit="bytes",
    variant="after",
    endpoint=None,
    before=7.0e7,
    after=8.4e7,
    source="measured",
    kind="ratio",
    low=0.18,
    high=0.22,
    level=0.99,
)
QUERIES = Price(
    name="cache_commands",
    unit="count",
    variant="after",
    endpoint=HOSTILE,
    before=0.0,
    after=2.0,
    source="counted",
)
MINOR = replace(
    MEMORY, name="cpu", unit="s", before=0.01, after=0.0101, low=0.005, high=0.015, within_margin=True
)


def printed(result) -> str:
    stream = io.StringIO()
    terminal.render(result, Console(file=stream, width=120, color_system=None))
    return stream.getvalue()


@pytest.fixture
def priced(results):
    """An improvement that costs memory, and cache commands that were not there before."""
    return replace(results.improved(), prices=[MINOR, MEMORY, QUERIES])


def test_the_price_is_told_in_every_format_and_nowhere_folded(priced):
    section = html.render(priced).split('<section id="price"')[1].split("</section>")[0]
    assert "<details" not in section
    text = markdown.render(priced)
    assert "Memory of the server" in section
    for told in (section, text, printed(priced)):
        assert "70 MB" in told
        assert "84 MB" in told
        assert "99% interval +18% to +22%" in told
    assert text.index("**Price**") < text.index("<details>")


def test_an_improvement_opens_with_its_price(priced):
    hero = Tree(html.render(priced)).text.split("Contents")[0]
    assert "Price. Memory of the server 70 MB → 84 MB; cache commands" in hero


def test_what_is_inside_the_margin_comes_last_and_says_so(priced):
    assert [one.minor for one in price.lines(priced)] == [False, False, True]
    assert printed(priced).count("inside the margin") == 1


def test_nothing_that_got_worse_is_said_with_what_was_not_looked_at(results):
    free = replace(results.improved(), prices=[])
    for told in (Tree(html.render(free)).text, markdown.render(free), printed(free)):
        assert "othing that was measured or counted got worse; staleness is not measured" in told
    assert "Price" not in html.render(results.improved()).split("<main")[1].split('<script type="app')[0]


def test_long_lists_say_what_they_leave_out(results):
    many = replace(
        results.improved(), prices=[replace(QUERIES, endpoint=f"GET /{number}") for number in range(50)]
    )
    assert "20 more are in the JSON" in html.render(many)
    assert "40 more got worse" in markdown.render(many)
    assert "and 44 more in the report" in printed(many)


def test_hostile_endpoints_stay_text(priced):
    section = html.render(priced).split('<section id="price"')[1].split("</section>")[0]
    assert "<script>" not in section
    assert "\u202e" not in section + printed(priced)
    assert "<script>" not in markdown.render(priced)


def test_the_slowest_requests_say_which_they_were(results):
    timed = SlowRequest(
        variant="before",
        endpoint=HOSTILE,
        generation=2,
        pair=512,
        user=0,
        iteration=40,
        outcome="ok",
        service_us=91_000,
        others_us={"after": 20_000},
    )
    probed = ProbedRequest(
        endpoint="GET /a",
        variant="after",
        method="GET",
        target=f"/a?q={HOSTILE}",
        traceparent="00-aa-bb-01",
        repeat=False,
        status=200,
        service_us=50_000,
        database_us=30_000.0,
        cache_us=0.0,
        cache_commands=0,
        statements=[StatementFact(sql="SELECT ?", calls=3.0, rows=60.0, wait_us=29_000.0)],
    )
    result = results.improved()
    held = Footprint(
        variant="after",
        requests=9,
        memory_bytes=None,
        table_bytes=1000,
        index_bytes=1,
        cache_bytes=None,
        log_bytes=5,
    )
    probe = replace(result.probe, slowest=[probed], footprints=[held])
    page = html.render(replace(result, slowest=[timed], probe=probe, prices=[]))
    section = page.split('<section id="slowest"')[1].split("</section>")[0]
    told = Tree(section).text
    for part in (
        "generation 3, pair 512",
        "20.0 ms on orm=prefetch",
        "00-aa-bb-01",
        "database 30.0 ms",
        "server and the rest 20.0 ms",
        "3 × 29.0 ms in all, 60 rows: SELECT ?",
    ):
        assert part in told
    assert "<script>" not in section
    assert Tree(page).open == []
