"""The table of claims and prices, as Markdown."""

import io

import pytest
from rich.console import Console

from loadstone.errors import ConfigurationError
from loadstone.record.proof import Entry, Finding, Proof, Proven
from loadstone.report.proof import BEGIN, END, markdown, place, render


def entry(**fields):
    given = {
        "key": "k",
        "commit": "0123456789abcdef",
        "toggle": "orm",
        "kind": "claim",
        "before": "orm=naive",
        "after": "orm=prefetch",
        "metric": "latency_mean",
        "direction": "lower",
        "at_least": 0.4,
        "scenario": "scenarios/catalogue.py",
        "endpoint": None,
        "size": "small",
        "budget": "90s",
        "says": "",
        "finding": Finding(
            proven=Proven.CONFIRMED,
            before=51_500,
            after=15_400,
            unit="us",
            estimate=-0.70,
            low=-0.78,
            high=-0.59,
            level=0.995,
        ),
        "run": "r",
        "command": "loadstone compare",
        "took_s": 71.0,
        "at": "",
        "machine": "CPU, 2 cores",
    }
    return Entry(**given | fields)


COUNTED = Finding(
    proven=Proven.NOT_CONFIRMED, before=3, after=5, unit="count", estimate=2 / 3, low=2 / 3, high=2 / 3
)
LOST = Finding(proven=Proven.INVALID, reason="payload: a | b")


def test_claims_and_prices_have_a_table_each():
    price = entry(kind="price", metric="queries", endpoint="POST /x", finding=COUNTED, direction="higher")
    text = markdown(Proof(entries=[entry(), price]))
    assert (
        "| `orm=prefetch` | naive | mean latency lower by at least 40% (catalogue, small) "
        "| 51.5 ms → 15.4 ms, −70% | −78% to −59% (99.5%) | ✓ confirmed |" in text
    )
    assert "queries higher by at least 40% (catalogue, POST /x, small) | 3 → 5, +67% | exact |" in text
    assert "mean latency lower by at most 1% (" in markdown(Proof(entries=[entry(at_most=0.01)]))
    assert text.index("## Claims") < text.index("## Prices")
    assert "2 comparisons in 2 min 22 s, at most 90s of measuring each; commit 0123456789ab;" in text


def test_what_was_not_measured_says_why_and_keeps_its_cells():
    text = markdown(Proof(entries=[entry(finding=LOST)]))
    row = next(line for line in text.splitlines() if line.startswith("| `orm"))
    assert row.replace("\\|", "").count("|") == 7
    assert row.endswith("|  | ! invalid |")


def test_a_count_that_was_zero_before_is_exact_too():
    fresh = Finding(
        proven=Proven.CONFIRMED, before=0, after=3.2, unit="count", reason="there was none before"
    )
    assert "| 0 → 3.2 | exact | ✓ confirmed |" in markdown(Proof(entries=[entry(finding=fresh)]))
    timed = Finding(proven=Proven.INCONCLUSIVE, before=10, after=9, unit="us", reason="too few generations")
    assert "10.0 µs → 9.00 µs |  | ? inconclusive |" in markdown(Proof(entries=[entry(finding=timed)]))


def test_changes_beside_a_commit_are_told():
    text = markdown(Proof(entries=[entry(commit="0123456789abcdef with changes at 2026")]))
    assert "commit 0123456789ab with changes;" in text
    assert "commit unknown;" in markdown(Proof(entries=[entry(commit="unknown at 2026")]))


def test_the_terminal_has_a_paragraph_each():
    out = io.StringIO()
    render(Proof(entries=[entry()]), Console(file=out, width=80))
    assert out.getvalue().splitlines() == [
        "✓ confirmed  claim of orm=prefetch against naive",
        "  expected  mean latency lower by at least 40% (catalogue, small)",
        "  found     51.5 ms → 15.4 ms, −70%, −78% to −59% (99.5%)",
    ]


def test_a_page_gets_the_tables_between_its_marks():
    price = entry(kind="price", metric="queries", finding=COUNTED, direction="higher")
    page = f"# Mine\n\n{BEGIN}\nyesterday\n{END}\n\nThe rest.\n"
    text = place(page, Proof(entries=[entry(), price]), "README.md")
    head, _, rest = text.partition(BEGIN)
    assert (head, rest.partition(END)[2]) == ("# Mine\n\n", "\n\nThe rest.\n")
    assert "<summary>Claims: 1 of 1 confirmed</summary>" in rest
    assert "<summary>Prices: 0 of 1 confirmed</summary>" in rest
    assert "| `orm=prefetch` | naive |" in rest
    assert "yesterday" not in rest
    assert place(text, Proof(entries=[entry(), price]), "README.md") == text


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{BEGIN}\n{END}"])
def test_a_page_without_one_place_for_it_is_refused(page):
    with pytest.raises(ConfigurationError, match=r"README.md has no one place for the table"):
        place(page, Proof(entries=[]), "README.md")
