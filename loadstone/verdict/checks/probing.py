"""What the probe lane saw: is the answer the same, and was everything asked?"""

from __future__ import annotations

from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Check, CheckStatus
from loadstone.verdict.levels import Observations


def check_payload(probe: Probe) -> Check:
    """A faster answer to another question proves nothing."""
    payload = probe.payload
    wrong = payload.checked - payload.equal
    return Check(
        name="payload",
        status=CheckStatus.FAIL if wrong else CheckStatus.OK,
        message=f"{payload.equal} of {payload.checked} probed requests return the same on every variant",
        remedy="mend the variant, or declare the difference as a payload rule of the toggle" if wrong else "",
        value=float(wrong),
    )


def check_endpoints(probe: Probe, observations: Observations) -> Check:
    """What was never probed was never shown to return the same."""
    missing = sorted(set(observations.endpoints) - {fact.endpoint for fact in probe.facts})
    return Check(
        name="probed endpoints",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        message=f"payloads were not compared for {', '.join(missing[:5])}{' …' if missing[5:] else ''}"
        if missing
        else "every measured endpoint was probed",
        remedy="use a scenario in which these come up sooner" if missing else "",
        value=float(len(missing)),
    )


def check_counted(probe: Probe, plan: Plan) -> Check:
    """An endpoint whose queries were not counted on every variant has no part in the verdict."""
    counted = {(fact.endpoint, fact.variant) for fact in probe.facts if "queries" in fact.totals}
    endpoints = list(dict.fromkeys(fact.endpoint for fact in probe.facts))
    missing = [
        one for one in endpoints if any((one, variant.name) not in counted for variant in plan.variants)
    ]
    return Check(
        name="counted queries",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        message=f"queries could not be counted for {', '.join(missing[:5])}{' …' if missing[5:] else ''}"
        if missing
        else f"the queries of all {len(endpoints)} endpoints are counted",
        remedy="only a PostgreSQL that is reached through {database_url} is counted" if missing else "",
        value=float(len(missing)),
    )
