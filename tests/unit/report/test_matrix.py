"""A matrix as people read it: what to do first, on page, Markdown and terminal."""

import io

import msgspec
import pytest
from matrices import PLAN, TOLD, partial, results_of
from msgspec.structs import replace
from pages import Tree
from rich.console import Console

from loadstone.record.folder import MATRIX_RESULT
from loadstone.record.matrix_result import Factor, MatrixResult, load_matrix
from loadstone.report import matrix_page, matrix_reports
from loadstone.verdict.matrix import judge_matrix

HOSTILE = "<img src=x onerror=alert(1)>|\u202e"


@pytest.fixture(scope="module")
def full():
    return judge_matrix(PLAN, results_of(PLAN), TOLD)


@pytest.fixture(scope="module")
def half():
    plan = partial()
    return judge_matrix(plan, results_of(plan), TOLD)


@pytest.fixture(scope="module")
def cut():
    return judge_matrix(PLAN, results_of(PLAN)[:1], TOLD)


@pytest.fixture(scope="module")
def hostile():
    factors = [Factor(name=f"{one.name}{HOSTILE}", off=HOSTILE, on=HOSTILE) for one in PLAN.factors]
    plan = replace(PLAN, title=HOSTILE, command=HOSTILE, factors=factors)
    return judge_matrix(plan, results_of(plan), TOLD)


def printed(result) -> str:
    stream = io.StringIO()
    matrix_reports.render(result, Console(file=stream, width=140, color_system=None))
    return stream.getvalue()


def test_pages_are_whole_and_ask_the_network_for_nothing(full, half, cut, hostile):
    for result in (full, half, cut, hostile):
        tree = Tree(matrix_page.render(result))
        assert tree.open == []
        assert not [tag for tag, _ in tree.elements if tag == "img"]
        ids = [attributes["id"] for _, attributes in tree.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for tag, attributes in tree.elements:
            assert "style" not in attributes, tag
            href = attributes.get("href") or "#main"
            assert href.startswith("data:image/svg+xml,") or href[1:] in ids


def test_everything_opens_with_what_to_do_first(full):
    assert "do this first: orm=on" in printed(full).splitlines()[0]
    assert "Do this first: orm=on" in Tree(matrix_page.render(full)).text
    assert "do this first: orm=on" in matrix_reports.markdown(full).splitlines()[2]


def test_an_effect_says_what_it_comes_to(full):
    lines = printed(full).splitlines()
    assert [line for line in lines if line.startswith("orm with cache") and "gain less together" in line]
    assert [line for line in lines if line.startswith("orm ") and line.rstrip().endswith("gains")]


def test_a_step_that_costs_is_told_as_none_to_take(full):
    """The waterfall goes on to everything on; the ranking says where to stop."""
    costly = replace(full, steps=[*full.steps[:-1], replace(full.steps[-1], change=0.2)])
    assert printed(costly).count("leave it off") == 1
    assert matrix_page.render(costly).count("leave it off</small>") == 1
    assert "leave it off" not in printed(full)
    assert "the fastest combination that was measured is orm=on, cache=on, pagination=on" in printed(full)


def test_half_a_design_names_what_it_mixes(half):
    assert "pagination with indexes" in printed(half)
    assert "predicted by main effects" in printed(half)


def test_without_all_combinations_no_effect_is_told(cut):
    assert "INTERRUPTED" in printed(cut)
    page = matrix_page.render(cut)
    assert '<section id="effects"' not in page
    assert '<section id="cells"' in page


def test_hostile_names_stay_text(hostile):
    assert "\u202e" not in printed(hostile)
    assert "<img" not in matrix_reports.markdown(hostile).split("```")[0]


def test_the_files_hold_the_result_and_are_read_back(full, tmp_path):
    (tmp_path / MATRIX_RESULT).write_bytes(msgspec.json.encode(full))
    assert load_matrix(tmp_path) == full
    page, _ = matrix_page.write_matrix_reports(tmp_path, full)
    (data,) = [text for text in Tree(page.read_text()).code if text.startswith('{"schema_version"')]
    assert msgspec.json.decode(data, type=MatrixResult) == full
