"""The accuracy simulation, small and with a fixed seed: it fails when a boundary is wrong.

Each row is held to its promise by the lower end of a one-sided 99.95% Wilson
interval, so a correct boundary fails one row in 2,000 at most, for another seed.
"""

from dataclasses import replace

import pytest
import simulate

from loadstone.stats.sequential import Design, plan

MANY = ["--scenario", "gaussian", "--experiments", "50000", "--no-save"]
"""200,000 contrasts: false alarms of 0.25% are known to +-0.04% (99.9%)."""


def test_on_every_kind_of_host_false_alarms_and_coverage_are_as_promised(capsys):
    """9 hosts, 12 generations, 8,000 contrasts each: 70 rows, fails for 1 seed in 28 at most."""
    assert simulate.main(["--quick", "--generations", "12", "--no-save"]) == 0
    out, _ = capsys.readouterr()
    assert {line.split()[0] for line in out.splitlines()[2:]} == set(simulate.SCENARIOS)


def test_the_shipped_boundaries_and_the_anytime_mode_keep_their_promise():
    """10 rows: fails for 1 seed in 200 at most."""
    assert simulate.main([*MANY, "--generations", "16"]) == 0


@pytest.mark.parametrize("factor", [1.5, 3.0])
def test_loosened_boundaries_are_found_out(monkeypatch, capsys, factor):
    """Negative control: 1.5 times too many false alarms lie 10 standard errors above the promise."""

    def loosened(looks, alpha, spending):
        right = plan(looks, alpha, spending)
        return Design(looks, alpha, tuple(factor * p for p in right.nominal_p), spending)

    monkeypatch.setattr(simulate, "plan", loosened)
    assert simulate.main([*MANY, "--generations", "16"]) == 1
    told = capsys.readouterr().err
    assert "not as promised: gaussian, hwang-shih-decani, 16 generations, effect 0.00%" in told
    assert "not as promised: gaussian, anytime" not in told


def test_a_loosened_anytime_mode_is_found_out(monkeypatch, capsys):
    """Negative control: a fortieth of the evidence that alpha asks for."""
    right = simulate.anytime_rule
    monkeypatch.setattr(simulate, "anytime_rule", lambda alpha, generations: right(40 * alpha, generations))
    monkeypatch.setattr(simulate, "hold_against_shipped", lambda *_: None)
    assert simulate.main([*MANY, "--generations", "16"]) == 1
    assert "not as promised: gaussian, anytime" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sequential_rule", "anytime_rule"])
def test_a_simulation_that_disagrees_with_the_shipped_code_ends(monkeypatch, name):
    """Negative control: the rule over many experiments at once is not trusted on its word."""
    right = getattr(simulate, name)

    def wrong(*arguments):
        rule = right(*arguments)
        return replace(rule, reach=1.001 * rule.reach)

    monkeypatch.setattr(simulate, name, wrong)
    with pytest.raises(AssertionError, match="disagree on experiment"):
        simulate.main(["--scenario", "gaussian", "--quick", "--generations", "12", "--no-save"])


def test_what_it_found_is_appended(monkeypatch, tmp_path):
    import ledger

    monkeypatch.setattr(ledger, "DATA", tmp_path)
    for _ in range(2):
        simulate.main(["--scenario", "gaussian", "--experiments", "100", "--generations", "6"])
    rows = ledger.stored("simulate")
    assert len(rows) == 2 * 2 * len(simulate.EFFECTS)
    assert rows[0]["machine"]["fingerprint"]
    assert rows[0]["at"]
