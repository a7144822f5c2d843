"""Comparisons under load, judged from made-up recordings."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.config.offered import Offer
from loadstone.config.rates import parse_rate
from loadstone.errors import ConfigurationError
from loadstone.lanes.load_conductor import make_load_design
from loadstone.record.histogram import Histogram
from loadstone.record.journal import CpuSeconds
from loadstone.record.load_comparison import LoadBlock, LoadGenerationLine
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times
from loadstone.record.result import CheckStatus
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.load_checks import comparison_checks
from loadstone.verdict.load_contrasts import load_contrasts
from loadstone.verdict.load_levels import LoadMeasured, LoadObservations, smooth_quantile
from loadstone.verdict.rules import rules_at

REQUESTS = 2500


def variant(name: str) -> Variant:
    recipe = Recipe(prepare=(), size="small", seed=1)
    return Variant(name, name, ("serve",), Path(), {}, recipe, "/", Path("python"))


@pytest.fixture
def design(tmp_path):
    def make(rate="200", **changes):
        scenario = tmp_path / "journey.py"
        scenario.write_text("")
        sides = (variant("before"), variant("after"))
        given = {"budget_s": 120.0, **changes}
        experiment = Experiment("a → b", scenario, sides, "small", 1, **given)
        offer = Offer(parse_rate(rate), 0, 1.0, 60.0, 1.0, (), 100, 1000, 5.0, 10_000.0)
        return make_load_design(experiment, offer, "loadstone compare")

    return make


def generation(index: int, rng, effect: float, *, failed: int = 0, lag_us: int = 50, unsent: int = 0):
    """Return a generation in which after takes `effect` times as long, with 1% noise between starts."""
    cells, blocks = {}, []
    for side in range(2):
        scale = (effect if side else 1.0) * math.exp(0.005 * rng.normal())
        times = (1000 * scale * rng.lognormal(0, 0.4, REQUESTS)).astype(np.int64)
        three = Times(Histogram.of(times), Histogram.of(times), Histogram.of(np.zeros(REQUESTS, np.int64)))
        cells[Key(side, "GET /", Outcome.OK)] = three
        if failed and side:
            few = Histogram.of(np.full(failed, 10))
            cells[Key(side, "GET /", Outcome.SERVER_ERROR)] = Times(few, few, few)
        blocks.append(
            LoadBlock(
                variant=side,
                couple=0,
                planned_s=2.0,
                due=REQUESTS + unsent,
                begun=REQUESTS,
                not_sent=unsent,
                unfinished=0,
                duration_s=2.0,
                generator_cpu_s=0.2,
                clock_drift_s=0.0,
                cpu=CpuSeconds(server_s=0.002 * scale * REQUESTS, database_s=None, cache_s=0.0),
            )
        )
    line = LoadGenerationLine(
        index=index,
        requests="",
        schedule="",
        blocks=blocks,
        steal=0.0,
        scenario_errors=0,
        first_error="",
        duration_s=4.0,
    )
    lag = Histogram.of(np.full(2 * REQUESTS, lag_us))
    schedule = Recording({Key(0, "(dispatch)", Outcome.OK): Times(lag, lag, lag)})
    return LoadMeasured(line, Recording(cells), schedule)


def observed(count: int, effect: float, seed: int = 1, **changes) -> LoadObservations:
    rng = np.random.default_rng(seed)
    return LoadObservations(2, [generation(index, rng, effect, **changes) for index in range(count)])


def overall(plan, observations, metric: str):
    rules = rules_at(plan, observations.count, ended=True)
    found = load_contrasts(observations, rules)
    return next(one for one in found if one.metric == metric and one.endpoint is None)


def test_blocks_are_balanced_and_the_same_for_the_same_seed(design):
    made = design(budget_s=240.0)
    assert made == design(budget_s=240.0)
    assert made.plan.max_generations % 2 == 0
    for orders in made.orders:
        first = [order[0] for order in orders]
        assert abs(first.count(0) - first.count(1)) <= 1
        assert all(sorted(order) == [0, 1] for order in orders)
    assert {order[0] for orders in made.orders for order in orders} == {0, 1}
    assert made.plan.lanes == ("probe", "load")


def test_a_rate_with_an_end_is_gone_through_window_by_window(design):
    assert design("50:300/7s").windows == 3
    assert design("50/1s").block_s == 1.0
    assert design("200").windows == design("200").couples


@pytest.mark.parametrize("budget_s", [5.0, 60.0])
def test_a_budget_too_short_is_refused(design, budget_s):
    with pytest.raises(ConfigurationError, match="too short for a verdict under load"):
        design(budget_s=budget_s)


@pytest.mark.parametrize(("effect", "verdict"), [(0.8, Verdict.IMPROVED), (1.25, Verdict.REGRESSED)])
def test_an_effect_on_response_time_is_found(design, effect, verdict):
    found = overall(design().plan, observed(8, effect), "latency_p50")
    assert found.verdict is verdict
    assert found.effect.estimate == pytest.approx(effect - 1, abs=0.02)
    assert found.gating


def test_cpu_of_a_service_that_is_not_ours_is_unavailable_and_not_zero(design):
    found = overall(design().plan, observed(8, 0.8), "cpu")
    assert not found.available
    assert overall(design().plan, observed(8, 0.8), "cpu_server").verdict is Verdict.IMPROVED


def test_a_quantile_needs_its_requests(design):
    plan, observations = design().plan, observed(8, 1.0)
    assert overall(plan, observations, "latency_p99").available
    assert "needs 20000 requests" in overall(plan, observations, "latency_p999").unavailable_reason


def test_a_fast_failure_is_an_error_and_no_fast_answer(design):
    plan, observations = design().plan, observed(8, 1.0, failed=500)
    assert overall(plan, observations, "errors").verdict is Verdict.REGRESSED
    assert abs(overall(plan, observations, "latency_p50").effect.estimate) < 0.03
    checks = {one.name: one for one in comparison_checks(design(), observations, None)}
    assert checks["new failures"].status is CheckStatus.WARN


def test_a_generator_that_is_late_or_a_backlog_that_overflowed_fails_the_run(design):
    made = design()
    fine = {one.name: one.status for one in comparison_checks(made, observed(8, 1.0), None)}
    assert set(fine.values()) == {CheckStatus.OK}
    late = {one.name: one for one in comparison_checks(made, observed(8, 1.0, lag_us=20_000), None)}
    assert late["lag"].status is CheckStatus.FAIL
    full = {one.name: one for one in comparison_checks(made, observed(8, 1.0, unsent=200), None)}
    assert full["backlog"].status is full["rate"].status is CheckStatus.FAIL
    assert full["backlog"].remedy


def test_identical_variants_are_rarely_called_different(design):
    """60 runs at 1% for five metrics together: 4 or more alarms have probability below 0.4%."""
    plan = design().plan
    alarms = 0
    for seed in range(60):
        observations = observed(6, 1.0, seed)
        rules = rules_at(plan, 6, ended=True, decided=False)
        alarms += any(one.detected for one in load_contrasts(observations, rules, gating_only=True))
    assert alarms < 4


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=400), st.floats(0.01, 0.99))
def test_a_smooth_quantile_lies_within_its_bucket(values, q):
    histogram = Histogram.of(values)
    exact = histogram.quantile(q)
    assert exact.low_us <= smooth_quantile(histogram, q, 0) + 1e-6
    assert smooth_quantile(histogram, q, 0) <= max(exact.high_us, exact.low_us * (1 + 1 / 128) + 1) + 1e-6


def test_a_quantile_among_the_unfinished_is_unknown():
    histogram = Histogram.of([100] * 90)
    assert math.isnan(smooth_quantile(histogram, 0.95, 10))
    assert smooth_quantile(histogram, 0.5, 10) == pytest.approx(100, abs=1)
