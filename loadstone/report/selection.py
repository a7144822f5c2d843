"""Which parts of a result go where, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from loadstone.record.probed import FactChange, ProbeFacts, Total
from loadstone.record.result import (
    Check,
    CheckStatus,
    Contrast,
    Distribution,
    OutcomeCount,
    Result,
    VariantInfo,
)
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.exact import fact_changes

ENDPOINT_METRICS = ("latency_mean", "latency_p50", "latency_p95", "latency_p99")


def others(result: Result) -> list[VariantInfo]:
    """Return every variant that is held against the baseline; controls have a place of their own."""
    return [one for one in result.variants[1:] if one.control is None]


def several(result: Result) -> bool:
    """Say whether more than one variant is held against the baseline, so that each needs a name."""
    return len(others(result)) > 1


def overall(result: Result, variant: str, *, gating: bool) -> list[Contrast]:
    """Return contrasts over all endpoints together, in the record's order."""
    return [
        one
        for one in result.contrasts
        if one.endpoint is None and one.variant == variant and one.gating is gating
    ]


def gating(result: Result) -> list[Contrast]:
    """Return every contrast that decides, of whatever variant or endpoint."""
    return [one for one in result.contrasts if one.gating]


def key_contrast(result: Result) -> Contrast | None:
    """Return the contrast that best shows the run's verdict: its own verdict agrees, latency comes first."""
    told = [one for one in gating(result) if one.effect is not None]
    agreeing = [one for one in told if one.verdict is result.verdict.verdict] or told
    if result.verdict.verdict is Verdict.INVALID or not agreeing:
        return None
    return min(agreeing, key=lambda one: one.effect is None or one.effect.kind != "ratio")


def endpoints(result: Result) -> list[str]:
    """Return the endpoints, in order of first mention."""
    named = [one.endpoint for one in result.contrasts if one.endpoint is not None]
    named += [one.endpoint for one in (result.probe.facts if result.probe else [])]
    named += [one.endpoint for one in result.outcomes]
    return list(dict.fromkeys(named))


def of_endpoint(result: Result, endpoint: str, variant: str) -> list[Contrast]:
    """Return the contrasts of one endpoint, latency first and in the order of its quantiles."""
    found = [one for one in result.contrasts if one.endpoint == endpoint and one.variant == variant]
    rank = {metric: place for place, metric in enumerate(ENDPOINT_METRICS)}
    return sorted(found, key=lambda one: rank.get(one.metric, len(rank)))


def distributions(result: Result, endpoint: str | None) -> list[Distribution]:
    """Return the distributions of one endpoint in the order of the variants, controls left out."""
    shown = [result.variants[0], *others(result)]
    order = {variant.name: place for place, variant in enumerate(shown)}
    found = [one for one in result.distributions if one.endpoint == endpoint and one.variant in order]
    return sorted(found, key=lambda one: order[one.variant])


def probe_pairs(result: Result) -> Iterator[tuple[str, ProbeFacts, ProbeFacts]]:
    """Yield endpoint, facts of the baseline, facts of another variant."""
    facts = {(one.endpoint, one.variant): one for one in (result.probe.facts if result.probe else [])}
    for endpoint in dict.fromkeys(endpoint for endpoint, _ in facts):
        before = facts.get((endpoint, result.variants[0].name))
        for variant in others(result):
            after = facts.get((endpoint, variant.name))
            if before is not None and after is not None:
                yield endpoint, before, after


def exact(result: Result, endpoint: str, variant: str) -> dict[str, FactChange]:
    """Return the exact facts of one endpoint, by their names."""
    return {one.fact: one for one in facts(result) if (one.endpoint, one.variant) == (endpoint, variant)}


def facts(result: Result) -> list[FactChange]:
    """Return the exact facts, compared; those of a result of version 1.0 from its medians."""
    if result.facts or result.probe is None:
        return result.facts
    probe = replace(result.probe, facts=[_with_totals(one) for one in result.probe.facts])
    names = [variant.name for variant in (result.variants[0], *others(result))]
    return fact_changes(probe, names, deciding=False)


def timed(result: Result) -> bool:
    """Say whether anything was timed: a run of the probe lane alone has exact facts only."""
    return bool({"pair", "load"} & set(result.experiment.lanes))


def _with_totals(side: ProbeFacts) -> ProbeFacts:
    """Return facts with totals that have the same means as the medians: these are multiples of a half."""
    medians = {
        "queries": side.queries_first,
        "queries_repeat": side.queries_repeat,
        "rows": side.rows,
        "cache_commands": side.cache_commands_first,
        "cache_commands_repeat": side.cache_commands_repeat,
        "response_bytes": side.response_bytes,
    }
    totals = {
        name: Total(total=round(2 * value), requests=2)
        for name, value in medians.items()
        if value is not None
    }
    return replace(side, totals=totals)


def failures(result: Result) -> list[OutcomeCount]:
    """Return every way in which requests did not end well."""
    return [one for one in result.outcomes if one.outcome != "ok" and one.count]


def concerns(result: Result) -> list[Check]:
    """Return the checks that did not pass, failed ones first."""
    found = [check for check in result.checks if check.status is not CheckStatus.OK]
    return sorted(found, key=lambda check: check.status is not CheckStatus.FAIL)


def passed(result: Result) -> list[Check]:
    """Return the checks that passed."""
    return [check for check in result.checks if check.status is CheckStatus.OK]


def label_of(result: Result, variant: str) -> str:
    """Return the label of a variant, or its name where it has none."""
    return next((one.label or one.name for one in result.variants if one.name == variant), variant)
