import math

import numpy as np
import pytest

from loadstone.errors import MeasurementError
from loadstone.stats.floor import PRIOR_FACTOR, PRIOR_SD, pair_variance, start_spread


def test_the_noise_of_a_pair_is_found_where_pairs_are_independent():
    """300 generations, each estimate about chi-squared(9): their mean within 4 standard errors."""
    rng = np.random.default_rng(1)
    found = [pair_variance(np.exp(rng.normal(0.0, 0.1, (400, 2)))) for _ in range(300)]
    assert np.mean(found) == pytest.approx(2 * 0.1**2, rel=4 * math.sqrt(2 / 9 / 300))


def test_noise_that_carries_over_from_pair_to_pair_is_counted():
    """AR(1), rho = 0.5: the mean of many pairs varies 3 times as much, (1 + rho) / (1 - rho).

    200 generations of blocks of 100 pairs, whose ends cost the estimate some 3%.
    """
    rng = np.random.default_rng(2)
    noise = rng.normal(0.0, 0.05, (200, 1000)) * math.sqrt(1 - 0.25)
    for at in range(1, 1000):
        noise[:, at] += 0.5 * noise[:, at - 1]
    found = [pair_variance(np.stack([np.ones(1000), np.exp(row)], axis=1)) for row in noise]
    assert np.mean(found) == pytest.approx(3 * 0.05**2, rel=0.03 + 4 * math.sqrt(2 / 9 / 200))


def test_what_both_requests_of_a_pair_share_is_no_noise():
    latency = np.random.default_rng(3).lognormal(0.0, 0.5, 200)
    assert pair_variance(np.stack([latency, 1.3 * latency], axis=1)) == pytest.approx(0.0, abs=1e-20)


def test_too_few_pairs_are_refused():
    with pytest.raises(MeasurementError, match="19 pairs are too few"):
        pair_variance(np.ones((19, 2)))


@pytest.mark.parametrize("residual_sd", [0.0, 0.001, 0.004])
def test_a_spread_of_zero_is_never_believed(residual_sd):
    spread = start_spread(residual_sd, 14, within_variance=0.004**2)
    assert spread.moment == 0.0
    assert 0.0 < spread.low < spread.sd < spread.high
    assert PRIOR_SD / 3 < spread.sd < PRIOR_SD


def test_many_generations_outweigh_what_is_usual():
    """Residual and within variance as they are expected, with 2,000 degrees of freedom."""
    spread = start_spread(math.sqrt(0.02**2 + 0.004**2), 2000, within_variance=0.004**2)
    assert spread.sd == pytest.approx(0.02, rel=0.02)
    assert spread.high / spread.low < 1.1


def test_the_interval_covers_as_often_as_it_says():
    """Machines drawn from the prior, 12 generations each: 90% within 4 standard errors of 3,000."""
    rng = np.random.default_rng(4)
    within, df, count = 0.003**2, 10, 3000
    covered = 0
    for true_sd in PRIOR_SD * PRIOR_FACTOR ** rng.standard_normal(count):
        residual = (true_sd**2 + within) * rng.chisquare(df) / df
        spread = start_spread(math.sqrt(residual), df, within)
        covered += spread.low <= true_sd <= spread.high
    assert covered / count == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / count))
