import numpy as np
import pytest
from scipy import stats

from loadstone.stats import special


def test_tails_are_those_of_scipy_stats():
    t, df = np.array([-3.0, 0.0, 1.5, 40.0]), np.array([2.0, 4.0, 10.0, 14.0])
    assert special.t_two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(np.abs(t), df))
    p = np.array([1e-9, 1e-4, 0.05, 1.0])
    assert special.t_critical(p, df) == pytest.approx(stats.t.isf(p / 2, df), abs=1e-12)
    assert special.noncentral_t_cdf(2.0, 8.0, 1.0) == pytest.approx(stats.nct.cdf(2.0, 8, 1.0))
    assert special.normal_cdf(-2.0) == pytest.approx(stats.norm.cdf(-2.0))
    assert special.normal_quantile(0.01) == pytest.approx(stats.norm.ppf(0.01))
    assert special.log_beta(2.0, 3.0) == pytest.approx(np.log(1 / 12))


def test_a_p_value_of_zero_is_never_reached():
    assert special.t_critical(0.0, 4.0) == np.inf
