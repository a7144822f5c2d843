"""From toggles to the comparisons of a matrix, with the reference shop's own toggles."""

import itertools
from pathlib import Path

import pytest

from loadstone.config.load import load_project
from loadstone.config.matrix import BESIDE, MatrixWish, compile_matrix, parse_factor
from loadstone.errors import ConfigurationError


@pytest.fixture(scope="module")
def project():
    return load_project(Path(__file__).parents[3] / "loadstone.toml")


def test_a_toggle_alone_stands_for_the_first_gain_that_it_claims(project):
    factor = parse_factor(project, "orm")
    claim = next(iter(project.toggles["orm"].claims.values()))
    assert (factor.off, factor.on) == (claim.before, claim.after)
    named = parse_factor(project, "orm=naive:values")
    assert (named.off, named.on) == ("naive", "values")


@pytest.mark.parametrize(
    "toggles",
    [
        ("orm",),
        ("orm", "orm"),
        ("orm", "nothing"),
        ("orm=naive", "cache"),
        ("orm=naive:naive", "cache"),
        ("orm=naive:fast", "cache"),
        ("orm", "cache", "pagination", "count", "indexes"),
    ],
)
def test_what_makes_no_matrix_is_refused_with_a_remedy(project, toggles):
    with pytest.raises(ConfigurationError) as caught:
        compile_matrix(project, MatrixWish(toggles), "")
    assert caught.value.remedy


@pytest.mark.parametrize(("full", "cells"), [(False, 8), (True, 16)])
def test_every_combination_is_measured_once_beside_the_base(project, full, cells):
    wish = MatrixWish(("orm", "cache", "pagination", "count"), full=full, budget="20m")
    plan, experiments = compile_matrix(project, wish, "loadstone matrix")
    assert len(plan.cells) == cells
    assert plan.half is not full
    assert sorted(itertools.chain.from_iterable(plan.blocks)) == list(range(1, cells))
    for block, experiment in zip(plan.blocks, experiments, strict=True):
        assert len(block) <= BESIDE
        assert experiment.variants[0].name == "before"
        assert experiment.budget_s == pytest.approx(1200 / len(plan.blocks))
        for cell, variant in zip([0, *block], experiment.variants, strict=True):
            for factor, on in zip(plan.factors, plan.cells[cell], strict=True):
                assert variant.toggles[factor.name] == (factor.on if on else factor.off)
        secrets = {variant.env["SECRET_KEY"] for variant in experiment.variants}
        assert len(secrets) == 1


def test_comparisons_judge_once_so_that_their_end_does_not_depend_on_what_was_seen(project):
    _, experiments = compile_matrix(project, MatrixWish(("orm", "cache")), "")
    assert {experiment.max_generations for experiment in experiments} == {6}
