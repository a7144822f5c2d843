"""Must the measurement be believed? Validity checks fail a run, quality checks warn of it."""

from __future__ import annotations

import math

import numpy as np

from loadstone.record.observations import Outcome
from loadstone.record.plan import Plan
from loadstone.record.result import Check, CheckStatus, Probe
from loadstone.stats.gaps import check_gaps
from loadstone.stats.inference import contrasts
from loadstone.stats.verdicts import log_margin
from loadstone.verdict.contrasts import Rules, all_contrasts, start_positions
from loadstone.verdict.headline import NAMES
from loadstone.verdict.levels import Observations, levels
from loadstone.verdict.metrics import BY_NAME

DIVERGED_WARN, DIVERGED_FAIL = 0.01, 0.10
ERRORS_WARN, ERRORS_FAIL = 0.0, 0.01
STEAL_WARN = 0.05
GENERATOR_WARN = 0.80
FEW_PAIRS = 100
EXCLUDED_WARN = 0.01
SHORT = 0.9
"""Share of its planned time that a generation should have measured for."""
POSITION_WARN = 0.25


def all_checks(
    observations: Observations, plan: Plan, rules: Rules | None, probe: Probe | None
) -> list[Check]:
    """Return every check of the run, in the order in which reports show them."""
    checks = [_payload(probe), _probed(probe, observations)] if probe is not None else []
    if observations.count:
        checks += [
            _diverged(observations),
            _scenario_errors(observations),
            _excluded(observations),
            new_failures(observations),
            _quiet_gaps(observations, plan, rules),
            _position(observations),
            _plans(observations, plan),
            _pairs(observations),
            _kept_plan(observations, plan),
            _measurable(observations, plan, rules),
            _generator(observations),
            _steal(observations),
            _others(observations),
        ]
    checks.append(_generations(observations, plan))
    return checks


def graded(name: str, value: float, limits: tuple[float, float], message: str, remedy: str) -> Check:
    """Return a check that warns above the first limit and fails above the second."""
    warn, fail = limits
    status = CheckStatus.FAIL if value > fail else CheckStatus.WARN if value > warn else CheckStatus.OK
    return Check(
        name=name,
        status=status,
        message=message,
        remedy="" if status is CheckStatus.OK else remedy,
        value=value,
    )


def new_failures(observations: Observations) -> Check:
    """Look for a class of failure that only a variant other than the baseline shows."""
    seen: list[set[int]] = [set() for _ in range(observations.variants)]
    for measured in observations.generations:
        for variant in range(observations.variants):
            rows = measured.rows
            seen[variant] |= {int(one) for one in np.unique(rows["outcome"][rows["variant"] == variant])}
    fresh = sorted({one for other in seen[1:] for one in other - seen[0]} - {Outcome.OK})
    labels = ", ".join(Outcome(one).label for one in fresh)
    return Check(
        name="new failures",
        status=CheckStatus.WARN if fresh else CheckStatus.OK,
        message=f"after fails in a way in which before never did: {labels}"
        if fresh
        else "after fails in no way of its own",
        remedy="look at the outcomes; a new failure class is never an improvement" if fresh else "",
        value=float(len(fresh)),
    )


def _payload(probe: Probe) -> Check:
    payload = probe.payload
    wrong = payload.checked - payload.equal
    return Check(
        name="payload",
        status=CheckStatus.FAIL if wrong else CheckStatus.OK,
        message=f"{payload.equal} of {payload.checked} probed requests return the same on both variants",
        remedy="mend the variant, or declare the difference as a payload rule of the toggle" if wrong else "",
        value=float(wrong),
    )


def _probed(probe: Probe, observations: Observations) -> Check:
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


def _kept_plan(observations: Observations, plan: Plan) -> Check:
    """A generation that ended early measured something else than was planned."""
    lines = [measured.line for measured in observations.generations]
    early = [line for line in lines if line.stopped_early or line.duration_s < SHORT * plan.generation_s]
    why = next((line.stopped_early for line in early if line.stopped_early), "")
    return Check(
        name="plan",
        status=CheckStatus.WARN if early else CheckStatus.OK,
        message=f"{len(early)} generations ended early" + (f": {why}" if why else "")
        if early
        else "every generation was measured for as long as planned",
        remedy="let the scenario's users go on for as long as they are asked to" if early else "",
        value=float(len(early)),
    )


def _measurable(observations: Observations, plan: Plan, rules: Rules | None) -> Check:
    """A gating metric that cannot be measured here does not decide: say so."""
    missing = []
    if rules is not None:
        found = all_contrasts(observations, rules, gating_only=True)
        missing = sorted({NAMES[contrast.metric] for contrast in found if not contrast.available})
    return Check(
        name="gating metrics",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        message=f"not measurable here, so not part of the verdict: {', '.join(missing)}"
        if missing
        else f"all {len(plan.gating)} are measured",
        remedy="give it more time, or a faster scenario: a larger --budget" if missing else "",
        value=float(len(missing)),
    )


def _diverged(observations: Observations) -> Check:
    diverged = sum(measured.line.diverged for measured in observations.generations)
    share = diverged / max(1, sum(measured.line.iterations for measured in observations.generations))
    return graded(
        "journeys in step",
        share,
        (DIVERGED_WARN, DIVERGED_FAIL),
        f"{diverged} journeys took different steps on the two variants ({share:.1%} of iterations)",
        "let the scenario decide by random draws and by data that both variants return",
    )


def _scenario_errors(observations: Observations) -> Check:
    errors = sum(measured.line.scenario_errors for measured in observations.generations)
    first = next((m.line.first_error for m in observations.generations if m.line.first_error), "")
    share = errors / max(1, sum(measured.line.iterations for measured in observations.generations))
    return graded(
        "scenario",
        share,
        (ERRORS_WARN, ERRORS_FAIL),
        f"the scenario raised {errors} times" + (f", first: {first}" if first else ""),
        "run it with stock Locust and mend what it raises",
    )


def _excluded(observations: Observations) -> Check:
    total = sum(measured.rows.size for measured in observations.generations)
    kept = sum(int(measured.good.sum()) for measured in observations.generations)
    share = 1 - kept / total if total else 1.0
    return graded(
        "answered well",
        share,
        (EXCLUDED_WARN, math.inf),
        f"latency is compared over {1 - share:.1%} of the requests, those that both variants answered well",
        "look at the outcomes: a failure that is fast does not count as fast",
    )


def _quiet_gaps(observations: Observations, plan: Plan, rules: Rules | None) -> Check:
    """Deferred work spills onto the other variant unless quiet gaps keep them apart."""
    name = "quiet gaps"
    if rules is None:
        return Check(name=name, status=CheckStatus.WARN, message="too few generations to tell")
    count = rules.generations
    metric = BY_NAME["latency_mean"]
    positions = start_positions(plan, count)
    few = Check(
        name=name, status=CheckStatus.WARN, message="not enough pairs with quiet gaps in every generation"
    )
    worst: Check | None = None
    tables = [levels(observations, metric, None, gap=gap)[:count] for gap in (0, 1)]
    without, _ = contrasts(tables[0], positions)
    with_gaps, _ = contrasts(tables[1], positions)
    for other in range(observations.variants - 1):
        if not np.isfinite(with_gaps[:, other]).all() or not np.isfinite(without[:, other]).all():
            return few
        found = check_gaps(with_gaps[:, other], without[:, other], log_margin(plan.margin))
        effects = [math.expm1(float(side[:, other].mean())) for side in (with_gaps, without)]
        if worst is not None and not found.differs:
            continue
        worst = Check(
            name=name,
            status=CheckStatus.FAIL if found.differs else CheckStatus.OK,
            message=f"the effect is {effects[0]:+.1%} with quiet gaps and {effects[1]:+.1%} without "
            f"(p = {found.p_value:.2g} that they are the same)",
            remedy="a variant works on after it has answered; let the load lane decide"
            if found.differs
            else "",
            value=found.difference,
        )
    return worst or few


def _position(observations: Observations) -> Check:
    """The second request of a pair is often a little faster; much faster hints at the network stack."""
    logs = []
    for measured in observations.generations:
        rows = measured.rows[measured.good & (measured.rows["gap"] == 0)]
        for variant in range(observations.variants):
            own = rows[rows["variant"] == variant]
            first, second = (own["service_us"][own["position"] == place] for place in (0, 1))
            if first.size and second.size:
                logs.append(math.log(max(1.0, np.median(second)) / max(1.0, np.median(first))))
    effect = math.expm1(float(np.mean(logs))) if logs else 0.0
    return Check(
        name="place in the pair",
        status=CheckStatus.WARN if abs(effect) > POSITION_WARN else CheckStatus.OK,
        message=f"the second request of a pair is {effect:+.0%} against the first; the order is random",
        remedy="look for delayed acknowledgements: a server that sends head and body in two writes"
        if abs(effect) > POSITION_WARN
        else "",
        value=effect,
    )


def _plans(observations: Observations, plan: Plan) -> Check:
    """A database that changes its mind between generations compares more than the variants."""
    flipped = []
    for index, variant in enumerate(plan.variants):
        lines = [measured.line for measured in observations.generations]
        seen = {line.plan_fingerprints[index] for line in lines if line.plan_fingerprints}
        if len(seen) > 1:
            flipped.append(variant.name)
    return Check(
        name="query plans",
        status=CheckStatus.WARN if flipped else CheckStatus.OK,
        message=f"query plans changed between generations on {', '.join(flipped)}"
        if flipped
        else "each variant kept its query plans",
        remedy="look for statistics that were sampled anew" if flipped else "",
        value=float(len(flipped)),
    )


def _pairs(observations: Observations) -> Check:
    least = min(measured.line.pairs for measured in observations.generations)
    return Check(
        name="pairs",
        status=CheckStatus.WARN if least < FEW_PAIRS else CheckStatus.OK,
        message=f"at least {least} pairs in every generation",
        remedy="give it more time: a larger --budget" if least < FEW_PAIRS else "",
        value=float(least),
    )


def _generator(observations: Observations) -> Check:
    share = max(m.line.generator_cpu_s / max(m.line.duration_s, 1e-9) for m in observations.generations)
    return graded(
        "generator",
        share,
        (GENERATOR_WARN, math.inf),
        f"the load generator used at most {share:.0%} of a core",
        "the generator is near its limit: use a lighter scenario, or FastHttpUser instead of HttpUser",
    )


def _steal(observations: Observations) -> Check:
    shares = [m.line.steal for m in observations.generations if m.line.steal is not None]
    if not shares:
        return Check(
            name="steal", status=CheckStatus.WARN, message="this machine does not tell its steal time"
        )
    return graded(
        "steal",
        max(shares),
        (STEAL_WARN, math.inf),
        f"the host took at most {max(shares):.1%} of the CPU away",
        "the machine is shared: expect wider intervals, or use a quieter one",
    )


def _others(observations: Observations) -> Check:
    others = max(measured.line.other_runs for measured in observations.generations)
    return Check(
        name="other runs",
        status=CheckStatus.WARN if others else CheckStatus.OK,
        message=f"{others} other runs of this project went on at the same time"
        if others
        else "no other run of this project went on at the same time",
        remedy="run one after the other: they disturb each other's timing" if others else "",
        value=float(others),
    )


def _generations(observations: Observations, plan: Plan) -> Check:
    few = observations.count < plan.looks[0]
    return Check(
        name="generations",
        status=CheckStatus.WARN if few else CheckStatus.OK,
        message=f"{observations.count} of at most {plan.max_generations} generations measured",
        remedy=f"a verdict needs {plan.looks[0]}: give it more time, or do not interrupt it" if few else "",
        value=float(observations.count),
    )
