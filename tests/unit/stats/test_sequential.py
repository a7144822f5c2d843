"""Statistical tests here fix their seed and state how often they would fail for another one."""

import gsdesign
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from loadstone.errors import ConfigurationError
from loadstone.stats import boundaries
from loadstone.stats.inference import fit
from loadstone.stats.sequential import (
    Design,
    Spending,
    bonferroni,
    cut_short,
    even_looks,
    plan,
    repeated_interval,
)

LOOKS = (6, 8, 10, 12, 14, 16)


def crossing_rate(design, experiments, seed, *, tail=None):
    """Share of experiments under no effect in which any look crosses; `tail` turns t into another p-value."""
    rng = np.random.default_rng(seed)
    s = np.tile([1.0, -1.0], design.maximum // 2)
    d = rng.standard_normal((experiments, design.maximum)) + 5.0 * s
    crossed = np.zeros(experiments, dtype=bool)
    for look, nominal in zip(design.looks, design.nominal_p, strict=True):
        x = d[:, :look]
        mean, slope = x.mean(axis=1), (x * s[:look]).mean(axis=1)
        residual = x - mean[:, None] - slope[:, None] * s[:look]
        t = mean / np.sqrt((residual**2).sum(axis=1) / (look - 2) / look)
        p = 2 * (stats.t.sf(np.abs(t), look - 2) if tail is None else tail(np.abs(t)))
        crossed |= p <= nominal
    return crossed.mean()


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize(("looks", "alpha"), [(LOOKS, 0.05), ((6, 10, 24), 0.2), (LOOKS, 0.01)])
def test_simulated_false_alarms_are_those_planned(looks, alpha, spending):
    """100,000 experiments; fails for 1 seed in 15,000 (4 standard errors) if the boundary is exact."""
    rate = crossing_rate(plan(looks, alpha, spending), 100_000, seed=20)
    assert rate == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 100_000))


def test_z_boundaries_on_t_statistics_would_give_far_more_false_alarms():
    """Negative control: the same looks judged by the normal tail exceed alpha threefold."""
    assert crossing_rate(plan(LOOKS, 0.01), 50_000, seed=21, tail=stats.norm.sf) > 0.03


def test_alpha_anew_at_each_look_would_give_too_many_false_alarms():
    """Negative control: without spending, six looks give more than twice alpha."""
    naive = Design(LOOKS, 0.01, (0.01,) * 6)
    assert crossing_rate(naive, 50_000, seed=22) > 0.02
    assert boundaries.crossing_probability(LOOKS, naive.nominal_p) == pytest.approx(
        crossing_rate(naive, 200_000, seed=23), abs=4 * np.sqrt(0.025 / 200_000)
    )


def test_two_looks_agree_with_direct_integration():
    """P(|t_1| > a or |t_2| > b) over the two means and variances, by another route: scipy's cubature."""
    old, new, p1, p2 = 6, 10, 0.004, 0.02
    a, b = (stats.t.isf(p / 2, n - 2) for p, n in ((p1, old), (p2, new)))

    def second_crosses(rss, score):
        """Chance to cross at the second look given the first; the rest of the new variation is chi2(3)."""

        def given_new(z):
            total = (np.sqrt(old) * score + np.sqrt(new - old) * z) / np.sqrt(new)
            old_plus_new = rss + score**2 + z**2 - total**2
            room = total**2 * (new - 2) / b**2 - old_plus_new
            return stats.norm.pdf(z) * stats.chi2.cdf(np.maximum(room, 0.0), new - old - 1)

        z = np.linspace(-8, 8, 321)
        return integrate.simpson(given_new(z), x=z)

    scores, residuals = np.linspace(0, 8, 65), np.linspace(0.0, 32, 97)
    inner = []
    for score in scores:
        inside = [(score**2 / (r / (old - 2)) < a**2 if r > 0 else False) for r in residuals]
        values = [
            second_crosses(r, score) * stats.chi2.pdf(r, old - 2) if ok else 0.0
            for r, ok in zip(residuals, inside, strict=True)
        ]
        inner.append(integrate.trapezoid(values, residuals) * 2 * stats.norm.pdf(score))
    expected = p1 + integrate.trapezoid(inner, scores)
    assert boundaries.crossing_probability((old, new), (p1, p2)) == pytest.approx(expected, rel=0.01)


def test_with_many_generations_boundaries_are_the_published_ones_for_z():
    """Lan & DeMets, O'Brien-Fleming type, two equal looks at 0.05: |z| > 2.963 and 1.969."""
    design = plan((50, 100), 0.05, Spending.OBRIEN_FLEMING)
    z = stats.norm.isf(np.array(design.nominal_p) / 2)
    assert z == pytest.approx([2.963, 1.969], abs=0.005)


def z_crossing(looks, nominal_p):
    """Two-sided crossing probability of z statistics, by the recursion of gsDesign."""
    bars = stats.norm.isf(np.array(nominal_p) / 2)
    grid, crossed = None, 0.0
    for look, count in enumerate(looks):
        tail = gsdesign.h1 if grid is None else None
        for low, high in ((bars[look], np.inf), (-np.inf, -bars[look])):
            if tail is not None:
                _, _, mass = tail(64, 0.0, count, low, high)
            else:
                _, _, mass = gsdesign.hupdate(64, 0.0, count, low, high, 0.0, looks[look - 1], grid)
            crossed += mass.sum()
        inside = (-bars[look], bars[look])
        grid = (
            gsdesign.h1(64, 0.0, count, *inside)
            if grid is None
            else gsdesign.hupdate(64, 0.0, count, *inside, 0.0, looks[look - 1], grid)
        )
    return crossed


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_with_many_generations_the_boundaries_spend_alpha_for_z_too(spending, alpha):
    """Gsdesign as oracle: p-values of t act on z as they do on t, once degrees of freedom are many."""
    looks = (40, 60, 80, 100)
    assert z_crossing(looks, plan(looks, alpha, spending).nominal_p) == pytest.approx(alpha, rel=0.02)


def test_with_few_generations_the_same_p_values_would_not_be_enough_for_z():
    """The oracle can tell the difference: at few degrees of freedom the joint distribution is another."""
    looks = (6, 8, 10)
    spent = z_crossing(looks, plan(looks, 0.01).nominal_p)
    assert abs(spent / 0.01 - 1) > 0.02


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(3, 24), min_size=1, max_size=8, unique=True).map(
        lambda x: tuple(2 * i for i in sorted(x))
    ),
    st.floats(1e-4, 0.2),
    st.sampled_from(Spending),
)
def test_any_allowed_design_spends_no_more_than_alpha(looks, alpha, spending):
    design = plan(looks, alpha, spending)
    total = boundaries.crossing_probability(looks, design.nominal_p)
    assert 0.99 * alpha <= total <= alpha
    assert all(0 < p <= alpha for p in design.nominal_p)


def test_an_early_look_that_may_spend_next_to_nothing_almost_never_stops():
    """O'Brien & Fleming spend 1e-27 at the first of these looks."""
    design = plan(even_looks(40), 1e-4, Spending.OBRIEN_FLEMING)
    assert design.nominal_p[0] == boundaries.SMALLEST_P
    assert crossing_rate(design, 20_000, seed=24) < 0.001
    assert boundaries.crossing_probability(design.looks, design.nominal_p) <= 1e-4


@pytest.mark.parametrize("looks", [LOOKS, (6, 100), (50, 100)])
def test_a_finer_integration_changes_next_to_nothing(looks, monkeypatch):
    design = plan(looks, 0.0025)
    nodes, weights = np.polynomial.legendre.leggauss(56)
    monkeypatch.setattr(boundaries, "_NODES", nodes)
    monkeypatch.setattr(boundaries, "_WEIGHTS", weights)
    monkeypatch.setattr(boundaries, "_ANGLES", np.linspace(0, np.pi / 2, 1025))
    rate = boundaries.crossing_probability(looks, design.nominal_p)
    assert 0.997 * 0.0025 < rate < 0.9999 * 0.0025


def test_a_single_look_is_the_plain_t_test():
    assert plan((6,), 0.05).nominal_p[0] == pytest.approx(0.05, rel=0.005)


def test_a_run_cut_short_spends_what_is_left_and_changes_no_look_taken():
    design = plan(LOOKS, 0.05)
    short = cut_short(design, 11)
    assert short.looks == (6, 8, 10)
    assert short.nominal_p[:2] == design.nominal_p[:2]
    assert short.nominal_p[2] > design.nominal_p[2]
    assert 0.99 * 0.05 <= boundaries.crossing_probability(short.looks, short.nominal_p) <= 0.05


def test_a_run_cut_short_between_looks_gets_a_look_there():
    short = cut_short(plan((6, 12, 16), 0.05), 10)
    assert short.looks == (6, 10)
    assert boundaries.crossing_probability(short.looks, short.nominal_p) <= 0.05


def test_a_run_that_reached_its_end_was_not_cut_short():
    design = plan(LOOKS, 0.05)
    assert cut_short(design, 16) is design


def test_a_run_cut_short_before_the_first_look_says_nothing():
    with pytest.raises(ConfigurationError, match="4 generations are too few"):
        cut_short(plan(LOOKS, 0.05), 5)


@pytest.mark.parametrize("looks", [(), (4, 8), (6, 9), (8, 8), (10, 6), (6, 102)])
def test_impossible_looks_are_refused(looks):
    with pytest.raises(ConfigurationError, match="increasing even"):
        plan(looks, 0.05)


@pytest.mark.parametrize("alpha", [0.0, 1e-5, 0.3, float("nan")])
def test_impossible_alphas_are_refused(alpha):
    with pytest.raises(ConfigurationError, match="false-alarm rate"):
        plan(LOOKS, alpha)


def test_looks_come_after_every_second_generation():
    assert even_looks(13) == (6, 8, 10, 12)
    assert even_looks(1_000)[-1] == 100


def test_alpha_is_shared_over_contrasts():
    assert bonferroni(0.01, 4) == 0.0025
    assert bonferroni(0.01, 0) == 0.01


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6).map(np.array))
def test_the_repeated_interval_excludes_zero_exactly_when_the_look_stops(d):
    design = plan(LOOKS, 0.2)
    result = fit(d, np.tile([1.0, -1.0], 3))
    low, high, level = repeated_interval(result, design, 0)
    assert level == 0.8
    if abs(result.p_value - design.nominal_p[0]) > 1e-12:
        assert (low > 0 or high < 0) == (result.p_value < design.nominal_p[0])


def test_a_fit_is_judged_only_at_its_own_look():
    result = fit(np.arange(7.0), np.array([1.0, -1, 1, -1, 1, -1, 1]))
    with pytest.raises(ConfigurationError, match="the fit has 7"):
        repeated_interval(result, plan(LOOKS, 0.05), 0)
    assert plan(LOOKS, 0.05).look_at(7) is None
    assert plan(LOOKS, 0.05).look_at(8) == 1
