"""Sentences name no cause that the facts do not carry."""

import random
from collections import Counter
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from loadstone.record.probed import Accounting, PlanFact, PlanNode, StatementFact
from loadstone.report.why import sentences
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.exact import fact_changes

LIST = "GET /api/v1/products/"


def account(total, database, cache=0.0):
    return Accounting(requests=5, total_us=total, database_us=database, cache_us=cache)


def with_probe(
    result, *, accounts=None, queries=(61, 2), rows=(100, 60), cached=(0, 0), plans=(), endpoint=None
):
    """Return `result` with what the probe saw of its first endpoint replaced."""
    endpoint = endpoint or result.probe.facts[0].endpoint
    changed = []
    for one in result.probe.facts:
        side = 0 if one.variant == "before" else 1
        if one.endpoint == endpoint:
            totals = {
                name: replace(one.totals["queries"], total=5 * count[side], requests=5)
                for name, count in (("queries", queries), ("rows", rows), ("cache_commands", cached))
            }
            changed.append(replace(one, totals=totals, accounting=accounts and accounts[side]))
        else:
            changed.append(one)
    probe = replace(result.probe, facts=changed, plans=list(plans))
    facts = fact_changes(probe, [variant.name for variant in result.variants], deciding=False)
    contrasts = [
        replace(one, detected=one.verdict in {Verdict.IMPROVED, Verdict.REGRESSED})
        for one in result.contrasts
    ]
    return replace(result, probe=probe, facts=facts, contrasts=contrasts)


def with_server_cpu(result, verdict):
    contrasts = [
        replace(one, verdict=verdict) if one.metric == "cpu_server" else one for one in result.contrasts
    ]
    return replace(result, contrasts=contrasts)


def told(result):
    return [one.text for one in sentences(result)]


def plan(variant, sql, name, buffers):
    nodes = [PlanNode(depth=0, name=name, rows=1, loops=1, buffers=buffers)]
    return PlanFact(endpoint=LIST, variant=variant, sql=sql, nodes=nodes, buffers=buffers)


def both_plans(before, after):
    found = [("before", "Seq Scan on a", before), ("after", "Index Scan on a", after)]
    return [plan(variant, "SELECT a", name, buffers) for variant, name, buffers in found]


def test_queries_that_are_gone_are_named_with_the_time_that_they_took(results):
    result = with_probe(results.improved(), accounts=(account(50_000, 30_000), account(12_000, 1_000)))
    first = told(result)[0]
    assert first.startswith(LIST)
    assert "59 of 61 queries per request are gone, which saves 29.0 ms" in first
    assert "(a request changed by 38.0 ms in the probe)" in first
    assert "the server itself works less (queries 61 → 2, rows 100 → 60), which saves 9.00 ms" in first


def test_another_plan_of_the_same_statement_is_named_with_its_pages(results):
    plans = [
        plan("before", "SELECT a", "Seq Scan on a", 12_000),
        plan("after", "SELECT a", "Index Scan on a", 8),
    ]
    accounts = account(50_000, 45_000), account(12_000, 7_000)
    result = with_probe(results.improved(), accounts=accounts, queries=(2, 2), rows=(5, 5), plans=plans)
    assert "(Seq Scan on a → Index Scan on a, 12,000 → 8 pages)" in told(result)[0]


def test_the_servers_own_work_is_no_cause_where_its_measured_cpu_stood_still(results):
    result = with_probe(results.improved(), accounts=(account(50_000, 30_000), account(12_000, 1_000)))
    text = told(with_server_cpu(result, Verdict.EQUIVALENT))[0]
    assert "the server itself works less" not in text
    assert "the rest of the request, of which nothing that was counted says why, which saves 9.00 ms" in text
    only_rest = with_probe(
        results.improved(),
        accounts=(account(50_000, 5_000), account(12_000, 5_000)),
        queries=(2, 2),
        rows=(5, 5),
    )
    assert "the server itself works less" in told(only_rest)[0]
    assert "cause is not known" in told(with_server_cpu(only_rest, Verdict.INCONCLUSIVE))[0]


def test_a_statement_in_anothers_place_is_named(results):
    accounts = account(50_000, 45_000), account(12_000, 7_000)
    result = with_probe(results.improved(), accounts=accounts, queries=(2, 2), rows=(5, 5))
    sides = {"before": ("SELECT COUNT(*) FROM a", 40_000.0), "after": ("SELECT estimate FROM b", 900.0)}
    facts = [
        replace(
            one,
            statement_facts=[
                StatementFact(sql=sides[one.variant][0], calls=1.0, rows=1.0, wait_us=sides[one.variant][1]),
                StatementFact(sql="SELECT same", calls=1.0, rows=4.0, wait_us=5_000.0),
            ],
        )
        for one in result.probe.facts
    ]
    text = told(replace(result, probe=replace(result.probe, facts=facts)))[0]
    assert "other statements (SELECT COUNT(*) FROM a → SELECT estimate FROM b), which saves 38.0 ms" in text


def test_without_a_fact_that_moved_the_cause_is_not_known(results):
    accounts = account(50_000, 45_000), account(12_000, 7_000)
    result = with_probe(results.improved(), accounts=accounts, queries=(2, 2), rows=(5, 5))
    assert "nothing that was counted moved with it, so the cause is not known" in told(result)[0]
    assert "gone" not in told(result)[0]


def test_what_only_repeated_requests_show_is_told_and_is_no_cause(results):
    """A warm cache: the probe's first requests fill it, and are no faster."""
    result = with_probe(
        results.improved(), accounts=(account(20_000, 5_000), account(20_500, 5_000)), queries=(13, 13)
    )
    repeat = replace(result.facts[0], endpoint=LIST, fact="queries_repeat", before=13.0, after=0.0)
    text = told(replace(result, facts=[*result.facts, repeat]))[0]
    assert "the cause is not known; when repeated, a request's queries are 13 → 0" in text
    assert "saves" not in text


def test_long_statements_are_told_from_where_they_differ(results):
    accounts = account(50_000, 45_000), account(12_000, 7_000)
    result = with_probe(results.improved(), accounts=accounts, queries=(2, 2), rows=(5, 5))
    same = "SELECT id, name, price, created_at FROM products "
    sides = {"before": (f"{same}JOIN reviews", 40_000.0), "after": (f"{same}WHERE rating > ?", 900.0)}
    facts = [
        replace(
            one,
            statement_facts=[
                StatementFact(sql=sides[one.variant][0], calls=1.0, rows=1.0, wait_us=sides[one.variant][1])
            ],
        )
        for one in result.probe.facts
    ]
    text = told(replace(result, probe=replace(result.probe, facts=facts)))[0]
    assert "other statements (… JOIN reviews → … WHERE rating > ?)" in text


def test_a_fact_that_moved_the_other_way_is_no_cause_and_is_told(results):
    accounts = account(50_000, 45_000), account(12_000, 7_000)
    result = with_probe(results.improved(), accounts=accounts, queries=(2, 5), rows=(5, 5))
    assert told(result)[0].endswith("against that stands: queries 2 → 5.")
    assert "cause is not known" in told(result)[0]


def test_where_the_probe_saw_no_change_queries_are_no_cause(results):
    result = with_probe(results.improved(), accounts=(account(50_000, 30_000), account(49_000, 29_000)))
    assert "cause is not known" in told(result)[0]


@pytest.mark.parametrize("make", ["inconclusive", "equivalent", "invalid"])
def test_what_did_not_change_has_no_cause(results, make):
    result = getattr(results, make)()
    if result.probe is not None:
        result = with_probe(result, accounts=(account(50_000, 30_000), account(12_000, 1_000)))
    assert told(result) == []


def test_of_a_result_that_kept_no_times_nothing_is_said(results):
    assert told(with_probe(results.improved())) == []


@dataclass(frozen=True)
class Drawn:
    """Facts of one endpoint, each (before, after), drawn without regard to one another."""

    queries: tuple[int, int]
    rows: tuple[int, int]
    cached: tuple[int, int]
    pages: tuple[int, int]
    accounts: tuple[Accounting, Accounting]
    server: Verdict

    @classmethod
    def from_random(cls, draw):
        """Draw one set."""
        totals = draw.uniform(1_000, 50_000), draw.uniform(1_000, 50_000)
        shares = [(draw.random() * 0.6, draw.random() * 0.3) for _ in totals]
        return cls(
            draw.choice([(2, 2), (61, 2), (2, 61), (3, 4)]),
            draw.choice([(10, 10), (100, 10), (10, 100)]),
            draw.choice([(0, 0), (5, 0), (0, 5)]),
            draw.choice([(0, 0), (12_000, 8), (8, 12_000)]),
            tuple(account(t, t * a, t * b) for t, (a, b) in zip(totals, shares, strict=True)),
            draw.choice([Verdict.IMPROVED, Verdict.REGRESSED, Verdict.EQUIVALENT]),
        )

    def told_of(self, base):
        """Return what is said of the endpoint with these facts, and nothing where it is not told of."""
        plans = both_plans(*self.pages) if any(self.pages) else ()
        result = with_probe(
            with_server_cpu(base, self.server),
            accounts=self.accounts,
            queries=self.queries,
            rows=self.rows,
            cached=self.cached,
            plans=plans,
        )
        return next((one for one in told(result) if one.startswith(LIST)), "")

    def carried(self, base):
        """Return each phrase that names a cause, and whether these facts carry it."""
        verdict = base.verdict.verdict
        way = 1 if verdict is Verdict.REGRESSED else -1
        first, second = self.accounts
        whole = (second.total_us - first.total_us) * way
        database = (second.database_us - first.database_us) * way
        cache = (second.cache_us - first.cache_us) * way
        moved = {
            name: (ends[1] - ends[0]) * way > 0
            for name, ends in (("queries", self.queries), ("rows", self.rows), ("cache", self.cached))
        }
        enough = whole >= 0.05 * first.total_us
        at_database, at_cache = (enough and part >= 0.2 * whole for part in (database, cache))
        at_server = enough and whole - database - cache >= 0.2 * whole
        return {
            "queries are gone": at_database and moved["queries"] and way < 0,
            "queries per request are gone": at_database and moved["queries"] and way < 0,
            "more queries per request": at_database and moved["queries"] and way > 0,
            "another plan": at_database and (self.pages[1] - self.pages[0]) * way > 0,
            "its queries fetch": at_database and moved["rows"],
            "cache commands per request": at_cache and moved["cache"],
            "the server itself works": at_server and self.server is verdict,
        }


def test_of_a_hundred_sets_of_facts_no_sentence_says_more_than_they_carry(results):
    """Seed 11; each claim is held against the facts that it was drawn from, most of which contradict."""
    draw = random.Random(11)
    claimed, unknown = Counter(), 0
    for _ in range(100):
        base, drawn = draw.choice([results.improved, results.regressed])(), Drawn.from_random(draw)
        text, carried = drawn.told_of(base), drawn.carried(base)
        causes = text.partition("; against that stands")[0]
        for phrase, may in carried.items():
            if phrase in causes:
                claimed[phrase] += 1
                assert may, (phrase, drawn)
        if text and not any(carried.values()):
            unknown += 1
            assert "the cause is not known" in text
            assert "which saves" not in text
            assert "which costs" not in text
    assert len(claimed) >= 6
    assert claimed.total() >= 25
    assert unknown >= 25


def test_facts_that_all_contradict_the_effect_are_told_and_blamed_for_nothing(results):
    """Faster, with more queries, rows, cache commands and pages, and a server that works more."""
    more = Drawn(
        (2, 61),
        (10, 100),
        (0, 5),
        (8, 12_000),
        (account(9_000, 3_000), account(4_000, 1_000)),
        Verdict.REGRESSED,
    )
    text = more.told_of(results.improved())
    assert "the cause is not known; against that stands: queries 2" in text
    assert all(name in text for name in ("rows 10", "cache commands 0"))
    assert "plan" not in text


def test_statements_carry_rows_time_and_plans(results):
    from loadstone.report.facts import make_fact

    result = with_probe(
        results.improved(),
        plans=[
            plan("before", "SELECT a", "Seq Scan on a", 90),
            plan("after", "SELECT a", "Index Scan on a", 3),
        ],
    )
    sides = [
        replace(
            one,
            statements=[("SELECT a", 1.0)],
            statement_facts=[StatementFact(sql="SELECT a", calls=1.0, rows=10.0, wait_us=wait)],
        )
        for one, wait in zip(result.probe.facts[:2], (900.0, 30.0), strict=True)
    ]
    (statement,) = make_fact(result, LIST, *sides).statements
    assert (statement.rows, statement.wait_us) == ((10.0, 10.0), (900.0, 30.0))
    assert statement.replanned
    assert statement.plan_lines(0) == ["Seq Scan on a (1 rows, 90 pages)"]


def test_another_plan_is_told_by_what_reads_the_same_table(results):
    """The small table that costs most beside an index is not what the large one's scan became."""
    joined = [
        PlanNode(depth=0, name="Nested Loop", rows=21, loops=1, buffers=101),
        PlanNode(depth=1, name="Index Scan using by_date on product", rows=21, loops=1, buffers=38),
        PlanNode(depth=1, name="Index Scan using brand_pkey on brand", rows=1, loops=21, buffers=63),
    ]
    indexed = replace(plan("after", "SELECT 1", "", 101), nodes=joined)
    plans = plan("before", "SELECT 1", "Seq Scan on product", 5584), indexed
    accounts = account(50_000, 40_000), account(12_000, 2_000)
    made = with_probe(results.improved(), accounts=accounts, queries=(2, 2), rows=(60, 60), plans=plans)
    found = "(Seq Scan on product → Index Scan using by_date on product, 5,584 → 101 pages)"
    assert any(found in one for one in told(made)), told(made)
