"""The summary at the end of a run."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from loadstone.report import terminal, wording

PATH = "reports/20260309T141512Z-orm/report.html"


def shown(result, **options) -> str:
    file = io.StringIO()
    terminal.render(result, Console(file=file, width=80, **options), report=PATH)
    return file.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_verdict_comes_first_as_word_and_symbol(any_result):
    sign = wording.VERDICTS[any_result.verdict.verdict]
    assert shown(any_result).startswith(f"{sign.symbol} {str(any_result.verdict.verdict).upper()}")


def test_without_a_terminal_there_is_no_control_code(any_result):
    assert "\x1b" not in shown(any_result)
    assert "\x07" not in shown(any_result)


def test_no_color_means_no_colour_even_on_a_terminal(results, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown(results.improved(), force_terminal=True)


def test_a_terminal_gets_colour(results, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;32m✓ IMPROVED" in shown(results.improved(), force_terminal=True, color_system="standard")


def test_it_fits_in_80_columns(any_result):
    lines = shown(any_result).splitlines()
    assert all(len(line) <= 80 for line in lines if not line.startswith(("report", "again")))


def test_it_says_before_after_effect_and_interval(results):
    text = words(shown(results.improved()))
    assert "mean latency 44.0 ms → 14.8 ms −66.4% −66.7% to −66.1% ✓ improved" in text
    assert "66.4% less (3.0× faster), 99.75% interval 66.1% to 66.7% less" in text


def test_it_counts_queries_and_payloads(results):
    text = words(shown(results.improved()))
    assert "GET /api/v1/products/: queries 61 → 2" in text
    assert "Payloads equal (24 of 24 requests)" in text


def test_exact_facts_alone_come_with_a_verdict_each(results):
    text = words(shown(results.probed()))
    assert text.startswith("✗ REGRESSED orm=naive against orm=prefetch queries per request 7 → 8")
    assert "queries 61 → 2 ✓ improved" in text
    assert "response 12.4 kB = equivalent" in text
    assert "probed in 4 s" in text
    assert "generations" not in text
    assert "margin ±" not in text


def test_a_change_of_queries_is_told_beside_the_timing(results):
    assert "queries per request 61 → 2 (GET /api/v1/products/)" in words(shown(results.improved()))[:400]


def test_it_ends_with_the_report_and_the_command_each_on_one_line(results):
    result = replace(
        results.improved(), run=replace(results.improved().run, command="loadstone " + "x" * 300)
    )
    report, again = shown(result).splitlines()[-2:]
    assert report == f"report  {PATH}"
    assert again == f"again   {result.run.command}"


def test_unavailable_is_not_zero(results):
    text = words(shown(results.p99_unavailable()))
    assert "p99 latency: not measurable here: needs 2000 pairs in every generation, had 410" in text
    assert "CPU per request: not available here" in text


def test_warnings_come_with_their_remedy(results):
    text = words(shown(results.inconclusive()))
    assert "▲ warning steal: the host took at most 14.2%" in text
    assert "→ the machine is shared" in text
    assert "Still open" in text


def test_differing_payloads_are_shown(results):
    text = words(shown(results.invalid()))
    assert "Payloads differ (2 of 24 requests)" in text
    assert '"12.90" → "12.9"' in text


def test_an_interrupted_run_says_so(results):
    assert "partial: interrupted" in shown(results.partial())


def test_failures_are_counted(results):
    assert "× 5xx" in shown(results.regressed())


def test_markup_in_names_is_taken_literally(results):
    assert "[red]markup[/red]" in shown(results.hostile())


def test_every_other_variant_has_its_table(results):
    assert "orm=naive → orm=select_related" in shown(results.three_variants())


@pytest.mark.parametrize("name", ["improved", "inconclusive", "hostile"])
def test_an_ascii_terminal_gets_ascii(results, name):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)
    terminal.render(results.ALL[name](), Console(file=file, width=80), report=PATH)
    text = file.buffer.getvalue().decode("ascii")
    assert "->" in text


def test_it_says_what_decides_and_what_is_a_diagnosis(results):
    text = words(shown(results.improved()))
    assert "over all endpoints decide: false alarms of the whole gate at most 1%" in text
    assert "false discoveries at most 1% of those told" in text


def test_controls_have_a_place_of_their_own(results):
    """What was put in, what was found, and what follows; never in the headline or among the metrics."""
    text = shown(results.controlled())
    head, _, rest = text.partition("\nControls\n")
    assert "orm=naive (copy)" not in head
    assert "orm=naive (spiked)" not in head
    told = words(rest)
    assert "nothing −0.1% −2.1% to +1.9% ✓ silent" in told
    assert "+4.0% +4.3% +2.3% to +6.3% ✓ seen" in told
    assert "+4.0% +1.1% −0.9% to +3.1% ▲ not seen" in told
    assert "Controls" not in shown(results.improved())
