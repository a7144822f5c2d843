"""The floor of made-up runs whose noise is known."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from runs import Truth, make_plan, make_run

from loadstone.errors import MeasurementError
from loadstone.verdict.assemble import Sealed
from loadstone.verdict.floor import measure_floor
from loadstone.verdict.levels import gather

PAIR_SD = 0.05 * math.sqrt(2)
"""Of the fixture's pairs, but that long requests weigh more."""
TRUTH = Truth(noise=0.01, endpoints=("GET /work",), pairs=400)


def sealed(truth: Truth = TRUTH, generations: int = 12, count: int | None = None, **fields) -> Sealed:
    plan = make_plan(generations)
    run = [(msgspec.structs.replace(line, **fields), rows) for line, rows in make_run(plan, truth, count)]
    return Sealed(plan, [line for line, _ in run], gather(2, run), None, None)


def test_noise_within_and_between_starts_is_told_apart():
    """12 generations; the within estimate has 108 degrees of freedom (3.3 SE: 22%), that of starts 10."""
    floor = measure_floor(sealed())
    assert floor.pair_sd == pytest.approx(1.04 * PAIR_SD, rel=0.22)
    assert floor.start.low < 0.01 < floor.start.high
    assert floor.start.sd == pytest.approx(floor.start.moment, rel=0.3)


def test_starts_that_do_not_differ_are_not_taken_for_noise_between_starts():
    """Of 20 runs without any, the upper bound stays below what starts of 1% would need."""
    spreads = [measure_floor(sealed(replace(TRUTH, noise=0.0, seed=seed))).start for seed in range(20)]
    assert max(one.high for one in spreads) < 0.01
    assert min(one.sd for one in spreads) > 0.0


def test_the_start_order_and_an_effect_are_no_noise():
    plain, shifted = (
        measure_floor(sealed(replace(TRUTH, start_effect=start, effect=effect)))
        for start, effect in ((0.0, 0.0), (0.02, 0.02))
    )
    assert shifted.pair_sd == pytest.approx(plain.pair_sd, rel=0.05)
    assert shifted.start.sd == pytest.approx(plain.start.sd, rel=0.05)


def test_costs_are_taken_from_the_journal_and_the_rows():
    run = sealed(turnover_s=1.5, steal=0.02)
    for measured in run.observations.generations:
        lengths = measured.rows["service_us"].astype(np.int64)
        waits = np.where(measured.rows["gap"] == 1, 90_000, 400)
        measured.rows["start_us"] = np.cumsum(waits) + np.cumsum(lengths) - lengths
    floor = measure_floor(run)
    assert floor.turnover_s == 1.5
    assert floor.steal == pytest.approx(0.02)
    assert floor.pair_overhead_s == pytest.approx(0.0008)
    assert (floor.generations, floor.pairs) == (12, 4800)


def test_what_was_not_recorded_is_unknown():
    floor = measure_floor(sealed(turnover_s=None, steal=None))
    assert math.isnan(floor.turnover_s)
    assert floor.steal is None


def test_few_generations_tell_nothing_of_starts():
    with pytest.raises(MeasurementError, match="5 generations are too few"):
        measure_floor(sealed(count=5))
