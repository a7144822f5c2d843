"""What a change costs: everything that got worse is told, and nothing else."""

import numpy as np
import pytest
from msgspec.structs import replace

from loadstone.record.probed import FactChange, Footprint, PayloadCheck, Probe, ProbeFacts
from loadstone.record.result import Contrast, Effect
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.price import memory_prices, prices

NAMES = ["before", "after"]
WORSE = Contrast(
    metric="cpu",
    unit="s",
    direction="lower",
    lane="pair",
    endpoint=None,
    gating=True,
    baseline="before",
    variant="after",
    available=True,
    before=0.010,
    after=0.011,
    effect=Effect(kind="ratio", estimate=0.1, low=0.08, high=0.12, level=0.9975),
    verdict=Verdict.REGRESSED,
    detected=True,
)
FACT = FactChange(
    fact="rows",
    unit="count",
    endpoint="GET /",
    baseline="before",
    variant="after",
    gating=False,
    before=20.0,
    after=21.0,
    requests=5,
    verdict=Verdict.REGRESSED,
)
HELD = Footprint(
    variant="before",
    requests=10,
    memory_bytes=100_000_000,
    table_bytes=50_000_000,
    index_bytes=10_000_000,
    cache_bytes=1_000_000,
    log_bytes=1_000,
)


def effect(low: float, high: float) -> Effect:
    return Effect(kind="ratio", estimate=(low + high) / 2, low=low, high=high, level=0.99)


def names_of(contrasts=(), changes=(), probe=None, names=NAMES):
    return [(one.name, one.source) for one in prices(contrasts, changes, probe, names)]


def probe(*facts: ProbeFacts, footprints=()) -> Probe:
    payload = PayloadCheck(checked=1, equal=1, rules=[], differences=[])
    return Probe(facts=list(facts), payload=payload, footprints=list(footprints))


def facts(variant: str, *statements: tuple[str, float], counted: bool = True) -> ProbeFacts:
    return ProbeFacts(
        endpoint="POST /orders",
        variant=variant,
        requests=5,
        queries_first=sum(calls for _, calls in statements) if counted else None,
        queries_repeat=None,
        rows=None,
        response_bytes=10.0,
        cache_commands_first=None,
        cache_commands_repeat=None,
        statuses=[201],
        statements=list(statements),
    )


def test_an_interval_on_the_worse_side_is_a_price_whichever_side_that_is():
    assert names_of([WORSE]) == [("cpu", "measured")]
    higher = replace(WORSE, metric="throughput", direction="higher")
    assert names_of([replace(higher, effect=effect(-0.2, -0.1))]) == [("throughput", "measured")]
    assert names_of([higher, replace(WORSE, effect=effect(-0.2, -0.1))]) == []
    assert names_of([replace(WORSE, effect=effect(-0.01, 0.05))]) == []


def test_what_is_worse_but_inside_the_margin_is_told_as_that():
    small = replace(WORSE, effect=effect(0.001, 0.004), verdict=Verdict.EQUIVALENT)
    (told,) = prices([small], [], None, NAMES)
    assert told.within_margin
    assert not prices([WORSE], [], None, NAMES)[0].within_margin


def test_a_diagnosis_counts_only_where_it_was_called():
    assert names_of([replace(WORSE, gating=False, detected=False)]) == []
    assert names_of([replace(WORSE, gating=False, detected=True)]) == [("cpu", "measured")]


@pytest.mark.parametrize(
    "changes", [{"verdict": Verdict.INVALID}, {"variant": "control"}, {"effect": None}, {"before": None}]
)
def test_what_cannot_be_believed_or_is_a_control_is_no_price(changes):
    assert names_of([replace(WORSE, **changes)]) == []


def test_counts_that_rose_are_a_price_without_an_interval():
    (told,) = prices([], [FACT, replace(FACT, fact="queries", verdict=Verdict.IMPROVED)], None, NAMES)
    assert (told.name, told.source, told.low, told.before, told.after) == ("rows", "counted", None, 20, 21)


def test_writes_are_counted_where_every_statement_was_seen():
    read, insert = ("SELECT $1", 3.0), ("INSERT INTO a VALUES ($1)", 1.0)
    update = ("WITH x AS (SELECT $1) UPDATE b SET c = $1", 0.5)
    more = probe(facts("before", read, insert), facts("after", read, insert, update))
    (told,) = prices([], [], more, NAMES)
    assert (told.name, told.endpoint, told.before, told.after) == ("writes", "POST /orders", 1.0, 1.5)
    assert not prices([], [], probe(facts("before", insert), facts("after", read)), NAMES)
    unseen = probe(facts("before", read), facts("after", insert, counted=False))
    assert not prices([], [], unseen, NAMES)


def test_a_statement_that_only_names_a_write_is_none():
    select = ("SELECT * FROM updates WHERE insert_at < $1 FOR UPDATE", 9.0)
    assert not prices([], [], probe(facts("before"), facts("after", select)), NAMES)


def test_readings_are_told_where_they_are_larger_by_more_than_a_reading_varies():
    after = replace(HELD, variant="after", index_bytes=12_000_000, table_bytes=50_100_000)
    (told,) = prices([], [], probe(footprints=[HELD, after]), NAMES)
    assert (told.name, told.source, told.before, told.after) == (
        "index_bytes",
        "read",
        10_000_000,
        12_000_000,
    )
    few = replace(HELD, variant="after", cache_bytes=1_060_000)  # 6%, but less than a page or two
    assert not prices([], [], probe(footprints=[HELD, few]), NAMES)
    unknown = replace(HELD, variant="after", index_bytes=None)
    assert not prices([], [], probe(footprints=[HELD, unknown]), NAMES)


def test_the_log_is_told_per_request_and_not_for_what_a_database_writes_by_itself():
    idle = replace(HELD, variant="after", log_bytes=1_900)
    assert not prices([], [], probe(footprints=[HELD, idle]), NAMES)
    busy = replace(HELD, variant="after", log_bytes=41_000, requests=20)
    (told,) = prices([], [], probe(footprints=[HELD, busy]), NAMES)
    assert (told.name, told.before, told.after) == ("log_bytes", 100.0, 2050.0)


def test_all_endpoints_together_come_before_single_ones():
    one = replace(WORSE, endpoint="GET /", metric="latency_p50")
    assert [told.name for told in prices([one, WORSE], [], None, NAMES)] == ["cpu", "latency_p50"]


def memory(rise: float, generations: int = 8, sd: float = 0.01, seed: int = 3):
    """Bytes [generation, variant] with log-normal noise, and alternating start positions."""
    rng = np.random.default_rng(seed)
    table = 8e7 * np.exp(rng.normal(0, sd, (generations, 2)))
    table[:, 1] *= 1 + rise
    positions = np.array([[g % 2, 1 - g % 2] for g in range(generations)])
    return table, positions


def test_memory_is_a_price_where_every_generation_says_so_alike():
    (told,) = memory_prices(*memory(0.2), NAMES)
    assert told.low < 0.2 < told.high
    assert told.after / told.before == pytest.approx(1.2, abs=0.03)
    assert memory_prices(*memory(-0.2), NAMES) == []
    assert memory_prices(*memory(0.2, generations=2), NAMES) == []


def test_equal_memory_is_rarely_called_a_price():
    """0.5% of runs are called, as the level is 1% on two sides: 9 or more of 400 in 0.02% of such tests."""
    called = sum(bool(memory_prices(*memory(0.0, seed=seed), NAMES)) for seed in range(400))
    assert called <= 8
