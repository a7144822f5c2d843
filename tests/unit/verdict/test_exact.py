"""Exact facts decide by themselves: what is counted is not estimated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.record.journal import EndLine
from loadstone.record.probed import PayloadCheck, Probe, ProbeFacts, Total
from loadstone.record.result import CheckStatus, Machine, RunStatus
from loadstone.stats.verdicts import FailOn, Verdict
from loadstone.verdict.assemble import Circumstances, Sealed, judge_run
from loadstone.verdict.exact import FACTS, fact_changes, fact_verdict, tell_changes
from loadstone.verdict.levels import gather

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
CIRCUMSTANCES = Circumstances("run", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:04+00:00", 4.0, MACHINE)
SAME = {"queries": 10, "queries_repeat": 10, "rows": 300, "cache_commands": 0, "response_bytes": 9_000}


def probe_of(*sides, equal=5):
    """A probe of 5 requests an endpoint: (endpoint, variant, totals)."""
    facts = [
        ProbeFacts(
            endpoint=endpoint,
            variant=variant,
            requests=5,
            queries_first=None,
            queries_repeat=None,
            rows=None,
            response_bytes=0.0,
            cache_commands_first=None,
            cache_commands_repeat=None,
            statuses=[200],
            totals={name: Total(total=total, requests=5) for name, total in totals.items()},
        )
        for endpoint, variant, totals in sides
    ]
    return Probe(facts=facts, payload=PayloadCheck(checked=5, equal=equal, rules=[], differences=[]))


def judge(before, after, *, endpoint="GET /list", fail_on=FailOn.ESTIMATE, equal=5, status="complete"):
    plan = replace(
        make_plan(), lanes=("probe",), looks=[], generations=[], max_generations=0, gating=[], fail_on=fail_on
    )
    probe = probe_of((endpoint, "before", before), (endpoint, "after", after), equal=equal)
    end = EndLine(status=status, stop_reason="every probed request is counted", at="", decided=True)
    return judge_run(Sealed(plan, [], gather(2, []), probe, end), CIRCUMSTANCES)


def change_of(result, fact):
    return next(one for one in result.facts if one.fact == fact)


@pytest.mark.parametrize("fail_on", FailOn)
@pytest.mark.parametrize("fact", ["queries", "queries_repeat"])
def test_one_extra_query_in_one_of_five_requests_is_regressed(fact, fail_on):
    """Medians would hide it; and how sure a regression must be does not matter where all is sure."""
    result = judge(SAME, SAME | {fact: 11}, fail_on=fail_on)
    assert result.verdict.verdict is Verdict.REGRESSED
    assert result.verdict.exit_code == 1
    assert "2 → 2.2 (GET /list)" in result.verdict.headline
    assert change_of(result, fact).verdict is Verdict.REGRESSED


def test_fewer_queries_are_improved():
    result = judge(SAME | {"queries": 305}, SAME)
    assert result.verdict.verdict is Verdict.IMPROVED
    assert result.verdict.headline == "improved: queries per request 61 → 2 (GET /list)"
    assert result.verdict.exit_code == 0


def test_as_many_queries_are_equivalent():
    result = judge(SAME, SAME)
    assert result.verdict.verdict is Verdict.EQUIVALENT
    assert result.verdict.headline == "equivalent: every endpoint makes as many queries per request"
    assert {one.verdict for one in result.facts} == {Verdict.EQUIVALENT}


@pytest.mark.parametrize("fact", ["rows", "cache_commands", "response_bytes"])
def test_more_of_the_rest_is_told_and_does_not_decide(fact):
    """A cache costs cache commands on purpose, a new field costs bytes."""
    result = judge(SAME, SAME | {fact: SAME[fact] + 1})
    assert change_of(result, fact).verdict is Verdict.REGRESSED
    assert not change_of(result, fact).gating
    assert result.verdict.verdict is Verdict.EQUIVALENT
    assert result.verdict.exit_code == 0


def test_a_rise_on_one_endpoint_is_not_paid_for_by_a_fall_on_another():
    probe = probe_of(
        ("GET /a", "before", {"queries": 500}),
        ("GET /a", "after", {"queries": 10}),
        ("GET /b", "before", {"queries": 10}),
        ("GET /b", "after", {"queries": 15}),
    )
    changes = fact_changes(probe, ("before", "after"), deciding=True)
    assert [one.verdict for one in changes] == [Verdict.IMPROVED, Verdict.REGRESSED]
    assert tell_changes(changes) == "queries per request 2 → 3 (GET /b), 100 → 2 (GET /a)"


def test_what_was_not_counted_on_both_sides_is_no_fact():
    result = judge({"rows": 1}, SAME)
    assert {one.fact for one in result.facts} == {"rows"}
    assert result.verdict.verdict is Verdict.INCONCLUSIVE
    assert "no query could be counted" in result.verdict.headline
    counted = next(check for check in result.checks if check.name == "counted queries")
    assert counted.status is CheckStatus.WARN


def test_other_payloads_are_invalid_however_few_queries_they_need():
    result = judge(SAME | {"queries": 305}, SAME, equal=4)
    assert result.verdict.verdict is Verdict.INVALID
    assert result.verdict.exit_code == 3


def test_an_interrupted_probe_says_nothing():
    result = judge({}, {}, status="partial")
    assert result.run.status is RunStatus.PARTIAL
    assert result.verdict.headline == "inconclusive: nothing was counted yet"


def test_nothing_is_timed():
    result = judge(SAME, SAME)
    assert result.experiment.lanes == ["probe"]
    assert result.contrasts == result.generations == result.distributions == []


@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(0, 10**6), st.integers(1, 60))
def test_counts_are_compared_without_rounding(total, requests, other, other_requests):
    verdict = fact_verdict(Total(total=total, requests=requests), Total(total=other, requests=other_requests))
    swapped = fact_verdict(Total(total=other, requests=other_requests), Total(total=total, requests=requests))
    opposite = {Verdict.IMPROVED: Verdict.REGRESSED, Verdict.REGRESSED: Verdict.IMPROVED}
    assert swapped is opposite.get(verdict, verdict)
    assert (verdict is Verdict.EQUIVALENT) == (total * other_requests == other * requests)


def test_a_run_with_timing_tells_its_queries_and_lets_timing_decide():
    plan = make_plan()
    sealed = make_run(plan, Truth(effect=-0.4))
    probe = probe_of(("GET /list", "before", SAME), ("GET /list", "after", SAME | {"queries": 15}))
    end = EndLine(status="complete", stop_reason="", at="", decided=True)
    lines = [line for line, _ in sealed]
    result = judge_run(Sealed(plan, lines, gather(2, sealed), probe, end), CIRCUMSTANCES)
    assert result.verdict.verdict is Verdict.IMPROVED
    assert result.verdict.headline.endswith("; queries per request 2 → 3 (GET /list)")
    assert not any(one.gating for one in result.facts)


def test_many_changes_are_told_by_the_largest_two():
    sides = [
        (f"GET /{index}", variant, {"queries": 10 * (index + 1) if variant == "after" else 5})
        for index in range(4)
        for variant in ("before", "after")
    ]
    told = tell_changes(fact_changes(probe_of(*sides), ("before", "after"), deciding=True))
    assert told == "queries per request 1 → 8 (GET /3), 1 → 6 (GET /2) and 2 more"


def test_each_fact_has_a_name_in_reports():
    from loadstone.report.wording import FACT_LABELS

    assert list(FACT_LABELS) == [fact.name for fact in FACTS]
