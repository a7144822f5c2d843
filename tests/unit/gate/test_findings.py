"""From results to findings: what fails, what is open, what must not be believed."""

import pytest
import results
from msgspec.structs import replace
from result_recipes import LIST_NAIVE

from loadstone.config.compile import Wish
from loadstone.config.exact_rules import default_rules, parse_exact
from loadstone.config.gate import GateExperiment
from loadstone.config.thresholds import parse_thresholds
from loadstone.errors import MeasurementError
from loadstone.gate.findings import exact_findings, timed_findings
from loadstone.record.gated import Kind, Status
from loadstone.record.probed import PayloadCheck, PayloadDifference
from loadstone.stats.verdicts import FailOn

LIST = "GET /api/v1/products/"


def experiment(*, exact=None, budgets="", gating=()):
    return GateExperiment(
        name="browse",
        lane="pair",
        wish=Wish("", ""),
        budget_s=60.0,
        offer=None,
        budgets=parse_thresholds(budgets) if budgets else (),
        exact=default_rules() if exact is None else tuple(parse_exact(text) for text in exact),
        gating=gating,
        line=3,
    )


def swapped():
    """Return the probe of the gain the other way round: 2 queries become 61."""
    result = results.improved()
    names = {"before": "after", "after": "before"}
    facts = [replace(one, variant=names[one.variant]) for one in result.probe.facts]
    changes = [
        replace(
            one,
            before=one.after,
            after=one.before,
            verdict={"improved": "regressed"}.get(one.verdict, one.verdict),
        )
        for one in result.facts
    ]
    return replace(result, probe=replace(result.probe, facts=facts), facts=changes)


def test_one_query_more_fails_and_names_the_statements():
    found = exact_findings(experiment(), swapped())
    failed = [one for one in found if one.status is Status.FAILED]
    first = next(one for one in failed if one.endpoint == LIST and one.subject == "queries")
    assert (first.before, first.after, first.kind) == (2.0, 61.0, Kind.EXACT)
    assert first.message.splitlines()[0] == f"queries per request of {LIST}: 2 → 61"
    assert "0 → 20 calls: SELECT" in first.message
    assert first.remedy


def test_fewer_queries_hold():
    assert {one.status for one in exact_findings(experiment(), results.improved())} == {Status.HELD}


def test_an_allowance_and_a_limit_are_held_against_their_own_amount():
    rules = [f"{LIST}: queries+59", f"{LIST}: queries<=60", "rows+10%"]
    found = exact_findings(experiment(exact=rules), swapped())
    by_rule = {(one.subject, one.message.partition("the rule is ")[2].splitlines()[0]): one for one in found}
    assert by_rule["queries", f"{LIST}: queries+59"].status is Status.HELD
    assert by_rule["queries", f"{LIST}: queries<=60"].status is Status.FAILED
    assert by_rule["rows", "rows+10%"].status is Status.FAILED


def test_a_rule_on_something_that_was_not_counted_is_open_where_somebody_wrote_it():
    named = exact_findings(experiment(exact=["GET /nowhere: queries<=5"]), results.improved())
    assert [one.status for one in named] == [Status.INCONCLUSIVE]
    assert LIST in named[0].message
    none = replace(results.improved(), probe=None, facts=[])
    assert exact_findings(experiment(), none) == []


def test_the_line_of_a_statement_is_asked_for_among_those_that_rose():
    result = swapped()
    sources = {LIST_NAIVE[0][0]: "views.py:7"}
    facts = [
        replace(
            one,
            statement_facts=[replace_fact(sql, calls, sources.get(sql, "")) for sql, calls in one.statements],
        )
        for one in result.probe.facts
    ]
    asked = []

    def locate(places):
        asked.extend(places)
        return ("shop/views.py", 7) if places else ("", 0)

    found = exact_findings(
        experiment(), replace(result, probe=replace(result.probe, facts=facts)), None, locate
    )
    first = next(one for one in found if one.endpoint == LIST and one.subject == "queries")
    assert (first.file, first.line) == ("shop/views.py", 7)
    assert set(asked) == {"views.py:7"}


def replace_fact(sql, calls, source):
    from loadstone.record.probed import StatementFact

    return StatementFact(sql=sql, calls=calls, rows=1.0, wait_us=10.0, source=source)


def test_a_regression_beyond_the_margin_fails_with_its_interval():
    found = timed_findings(experiment(), results.regressed(), FailOn.ESTIMATE)
    mean = next(one for one in found if one.subject == "latency_mean")
    assert mean.status is Status.FAILED
    assert mean.low < mean.estimate < mean.high
    assert "mean latency" in mean.message


def test_inconclusive_is_told_as_such_with_what_would_settle_it():
    found = timed_findings(experiment(), results.inconclusive(), FailOn.ESTIMATE)
    mean = next(one for one in found if one.subject == "latency_mean")
    assert mean.status is Status.INCONCLUSIVE
    assert "more minute" in mean.remedy


def test_what_cannot_be_measured_is_open_only_where_it_was_asked_for_by_name():
    result = results.p99_unavailable()
    contrasts = [
        replace(one, gating=one.endpoint is None and (one.gating or one.metric == "latency_p99"))
        for one in result.contrasts
    ]
    result = replace(result, contrasts=contrasts)
    for gating, status in (((), Status.UNMEASURED), (("latency_p99",), Status.INCONCLUSIVE)):
        found = timed_findings(experiment(gating=gating), result, FailOn.ESTIMATE)
        assert next(one for one in found if one.subject == "latency_p99").status is status


def test_a_named_endpoint_that_was_not_seen_is_open():
    found = timed_findings(
        experiment(gating=("GET /nowhere: latency_mean",)), results.equivalent(), FailOn.ESTIMATE
    )
    last = next(one for one in found if one.subject == "GET /nowhere: latency_mean")
    assert last.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("budget", "status"),
    [
        ("mean<1s", Status.HELD),
        ("p95<1ms", Status.FAILED),
        (f"{LIST}: mean<1ms", Status.FAILED),
        ("errors<1%", Status.HELD),
        ("errors<0.1%", Status.FAILED),
        ("5xx<0.1%", Status.FAILED),
        ("4xx<0.1%", Status.HELD),
        ("p99.9999<1s", Status.INCONCLUSIVE),
        ("GET /nowhere: mean<1s", Status.INCONCLUSIVE),
    ],
)
def test_budgets_are_held_against_the_head(budget, status):
    found = timed_findings(experiment(budgets=budget), results.regressed(), FailOn.ESTIMATE)
    one = next(one for one in found if one.kind is Kind.BUDGET)
    assert one.status is status, one.message


def test_a_broken_budget_says_what_the_base_has():
    found = timed_findings(experiment(budgets="mean<1ms"), results.regressed(), FailOn.ESTIMATE)
    message = next(one for one in found if one.kind is Kind.BUDGET).message
    assert message.endswith("which breaks it too")


def test_an_invalid_measurement_says_only_that_and_what_to_mend():
    found = timed_findings(experiment(budgets="mean<1ms"), results.invalid(), FailOn.ESTIMATE)
    assert {(one.kind, one.status) for one in found} == {(Kind.MEASUREMENT, Status.INVALID)}
    assert any(one.remedy for one in found)


def test_what_ended_the_run_is_told_first():
    error = MeasurementError("it died", cause="signal 9", remedy="give it memory")
    found = exact_findings(experiment(), results.invalid(), error)
    assert (found[0].message, found[0].remedy) == ("it died; signal 9", "give it memory")


@pytest.mark.parametrize(
    ("before", "after", "fails"), [("200", "500", True), ("404", "500", False), ("200", "302", False)]
)
def test_a_request_that_only_the_base_answers_fails_though_the_rest_is_invalid(before, after, fails):
    result = results.invalid()
    difference = PayloadDifference(
        endpoint=LIST, request=f"{LIST}?page=3", path="status", before=before, after=after
    )
    payload = PayloadCheck(checked=5, equal=4, rules=[], differences=[difference])
    probe = replace(results.improved().probe, payload=payload)
    found = exact_findings(experiment(), replace(result, probe=probe))
    failed = [one for one in found if one.status is Status.FAILED]
    assert bool(failed) is fails
    assert all(one.message.endswith(f"{LIST}?page=3: 200 → 500") for one in failed)
    assert Status.INVALID in {one.status for one in found}
