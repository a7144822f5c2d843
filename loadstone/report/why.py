"""Why a variant is faster or slower, in sentences that say no more than the facts carry.

A cause is named only where the effect was detected, the probe saw the time of a
request move the same way, and the counted fact moved with it. Where the facts
do not add up to the effect, that is what is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from loadstone.record.probed import Accounting, FactChange, PlanFact, PlanNode, ProbeFacts
from loadstone.record.result import Contrast, Result
from loadstone.report import quantities, safe, selection, wording
from loadstone.stats.verdicts import Verdict

MOST_ENDPOINTS = 2
WORTH_NAMING = 0.2
"""Share of the change of a request's time from which a part of it is named."""
LEAST_MOVE = 0.05
"""Share of a request's time by which the probe must have seen it move."""
MOST_OF_IT = 0.5
MANY_ALIKE = 4
"""Words from which on the common beginning of two statements is left out."""
OTHER_PLAN = 2.0
"""Factor in the pages touched from which a plan counts as a cause."""


@dataclass(frozen=True)
class Sentence:
    """What is said, and which section of the page holds its evidence."""

    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """Everything that is known of one endpoint on two variants."""

    contrast: Contrast
    before: ProbeFacts
    after: ProbeFacts
    facts: dict[str, FactChange]
    plans: tuple[list[PlanFact], list[PlanFact]]
    server_cpu: Contrast | None
    """Measured, over all endpoints."""

    @property
    def way(self) -> int:
        """1 where the endpoint became slower, -1 where it became faster."""
        return 1 if self.contrast.verdict is Verdict.REGRESSED else -1

    def moved(self, name: str) -> float:
        """Return by how much an exact fact moved the way that the time did; negative: against it."""
        change = self.facts.get(name)
        return 0.0 if change is None else (change.after - change.before) * self.way


@dataclass(frozen=True)
class Part:
    """A part of a request's time."""

    cause: str
    """What moved there, as far as it was counted; empty where nothing did."""
    unknown: str
    moved: float
    """Microseconds by which it moved the way that the request's time did."""


def sentences(result: Result) -> list[Sentence]:
    """Return what can be said of the endpoints that changed most, the first of each variant first."""
    if result.verdict.verdict is Verdict.INVALID:
        return []
    return [one for case in _cases(result) for one in _tell(case)]


def _cases(result: Result) -> Iterator[Case]:
    """Yield the endpoints whose time changed most, by what each change makes of a request's time."""
    probed = {(one.endpoint, one.variant): one for one in (result.probe.facts if result.probe else [])}
    for variant in selection.others(result):
        changed = [
            one
            for one in result.contrasts
            if (one.metric, one.variant) == ("latency_mean", variant.name)
            and one.endpoint is not None
            and one.detected
            and one.verdict in {Verdict.IMPROVED, Verdict.REGRESSED}
        ]
        changed.sort(key=lambda one: -abs((one.after or 0.0) - (one.before or 0.0)))
        for one in changed[:MOST_ENDPOINTS]:
            before = probed.get((one.endpoint or "", one.baseline))
            after = probed.get((one.endpoint or "", one.variant))
            if before is not None and after is not None and before.accounting and after.accounting:
                yield Case(one, before, after, *_counted(result, one), _server_cpu(result, one))


def _server_cpu(result: Result, one: Contrast) -> Contrast | None:
    wanted = "cpu_server", None, one.variant
    return next(
        (each for each in result.contrasts if (each.metric, each.endpoint, each.variant) == wanted), None
    )


def _counted(
    result: Result, one: Contrast
) -> tuple[dict[str, FactChange], tuple[list[PlanFact], list[PlanFact]]]:
    plans = [each for each in (result.probe.plans if result.probe else []) if each.endpoint == one.endpoint]
    sides = tuple([each for each in plans if each.variant == name] for name in (one.baseline, one.variant))
    return selection.exact(result, one.endpoint or "", one.variant), (sides[0], sides[1])


def _tell(case: Case) -> Iterator[Sentence]:
    endpoint = safe.name(case.contrast.endpoint or "", 60)
    lead = f"{endpoint} takes {_amount(case.contrast)} (mean {wording.levels(case.contrast)})"
    told = _causes(case)
    against = _against(case)
    if not told:
        yield Sentence(f"{lead}; {_unknown(case)}{against}.", ("effects", "probe"))
        return
    yield Sentence(f"{lead}: {told}{against}.", ("effects", "probe"))


def _unknown(case: Case) -> str:
    """Return that no cause can be named; what moved when requests were repeated is told, as it may be one."""
    repeated = case.facts.get("queries_repeat")
    if repeated is None or case.moved("queries_repeat") <= 0:
        return "nothing that was counted moved with it, so the cause is not known"
    change = wording.exact_change(repeated)
    return f"from first requests the cause is not known; when repeated, a request's queries are {change}"


def _amount(contrast: Contrast) -> str:
    times = wording.times_in_words(contrast)
    amount = wording.amount_in_words(contrast).replace(" less", " less time").replace(" more", " more time")
    return f"{amount}, {times}" if times else amount


def _causes(case: Case) -> str:
    """Return the causes that the facts carry, or nothing."""
    before, after = case.before.accounting, case.after.accounting
    if before is None or after is None:
        return ""
    whole = (after.total_us - before.total_us) * case.way
    if whole < LEAST_MOVE * before.total_us:
        return ""
    named = [part for part in _parts(case, before, after) if part.moved >= WORTH_NAMING * whole]
    if not any(part.cause for part in named):
        return ""
    verb = "costs" if case.way > 0 else "saves"
    told = [f"{part.cause or part.unknown}, which {verb} {_time(part.moved)}" for part in named]
    told[0] += f" (a request changed by {_time(whole)} in the probe)"
    return "; ".join(told)


def _parts(case: Case, before: Accounting, after: Accounting) -> list[Part]:
    """Return the parts of a request's time that could be told apart."""
    parts = []
    for service, cause, ends in (
        ("database", _database(case), (before.database_us, after.database_us)),
        ("cache", _cache(case), (before.cache_us, after.cache_us)),
    ):
        if ends[0] is not None and ends[1] is not None:
            unknown = f"waiting for the {service}, of which nothing that was counted says why"
            parts.append(Part(cause, unknown, (ends[1] - ends[0]) * case.way))
    whole = (after.total_us - before.total_us) * case.way
    if len(parts) == 2:  # noqa: PLR2004 - both services were seen: only then is the rest the server's
        unknown = "the rest of the request, of which nothing that was counted says why"
        parts.append(Part(_server(case), unknown, whole - sum(part.moved for part in parts)))
    return parts


def _time(us: float) -> str:
    return quantities.microseconds(us)


def _database(case: Case) -> str:
    """Return what moved at the database, or nothing where no counted fact did."""
    return _queries(case) or _other_plan(case) or _replaced(case) or _rows(case)


def _queries(case: Case) -> str:
    queries = case.facts.get("queries")
    if queries is None or case.moved("queries") <= 0:
        return ""
    number = quantities.count(abs(queries.after - queries.before))
    if case.way > 0:
        return f"{number} more queries per request ({wording.exact_change(queries)})"
    if not queries.after:
        return f"all {number} queries are gone"
    return f"{number} of {quantities.count(queries.before)} queries per request are gone"


def _rows(case: Case) -> str:
    moved = case.moved("rows") > 0
    return f"its queries fetch {wording.exact_change(case.facts['rows'])} rows" if moved else ""


def _replaced(case: Case) -> str:
    """Return which statement stands in another's place, where that is most of what moved at the database."""
    sides = [{one.sql: one for one in side.statement_facts} for side in (case.before, case.after)]
    gone = [one for sql, one in sides[0].items() if sql not in sides[1]]
    new = [one for sql, one in sides[1].items() if sql not in sides[0]]
    if not gone or not new:
        return ""
    moved = (sum(one.wait_us for one in new) - sum(one.wait_us for one in gone)) * case.way
    whole = sum(one.wait_us for one in case.after.statement_facts)
    whole = (whole - sum(one.wait_us for one in case.before.statement_facts)) * case.way
    if moved < MOST_OF_IT * whole or whole <= 0:
        return ""
    costliest = [max(side, key=lambda one: one.wait_us).sql for side in (gone, new)]
    told = [safe.name(one, 60) for one in _from_difference(costliest[0], costliest[1])]
    return f"other statements ({told[0]} {quantities.ARROW} {told[1]})"


def _from_difference(before: str, after: str) -> list[str]:
    """Return two statements from the word on in which they differ, where they begin alike."""
    words = before.split(" "), after.split(" ")
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*words, strict=False)))
    if alike < MANY_ALIKE:
        return [before, after]
    return [" ".join(["…", *one[alike:]]) for one in words]


def _other_plan(case: Case) -> str:
    """Return how the same statement runs otherwise, for that whose pages moved most."""
    sides = [{one.sql: one for one in side if one.nodes} for side in case.plans]
    best, told = 0, ""
    for sql in sides[0].keys() & sides[1].keys():
        plans = sides[0][sql], sides[1][sql]
        few, many = sorted(one.buffers for one in plans)
        moved = (plans[1].buffers - plans[0].buffers) * case.way
        names = _reads(*plans)
        if moved > best and many >= OTHER_PLAN * max(few, 1) and names[0] != names[1]:
            best = moved
            pages = f"{plans[0].buffers:,} {quantities.ARROW} {plans[1].buffers:,} pages"
            told = f"a query runs by another plan ({names[0]} {quantities.ARROW} {names[1]}, {pages})"
    return told


def _reads(before: PlanFact, after: PlanFact) -> tuple[str, str]:
    """Return what touched most pages itself in the costlier plan, and what reads the same table in the other.

    Where that is the same, or no such node is there, it is what touched most pages in each.
    """
    sides = [_own_pages(one) for one in (before, after)]
    most = [max(side)[1] for side in sides]
    costlier = 0 if before.buffers >= after.buffers else 1
    table = most[costlier].partition(" on ")[2]
    alike = [one for one in sides[1 - costlier] if table and one[1].partition(" on ")[2] == table]
    if alike and max(alike)[1] != most[costlier]:
        most[1 - costlier] = max(alike)[1]
    return safe.name(most[0], 60), safe.name(most[1], 60)


def _own_pages(plan: PlanFact) -> list[tuple[int, str]]:
    """Return (pages that it touched itself, name) of every node."""
    return [
        (node.buffers - sum(each.buffers for each in _children(plan, place)), node.name)
        for place, node in enumerate(plan.nodes)
    ]


def _children(plan: PlanFact, place: int) -> Iterator[PlanNode]:
    depth = plan.nodes[place].depth
    for node in plan.nodes[place + 1 :]:
        if node.depth <= depth:
            return
        if node.depth == depth + 1:
            yield node


def _cache(case: Case) -> str:
    if case.moved("cache_commands") > 0:
        return f"cache commands per request {wording.exact_change(case.facts['cache_commands'])}"
    return ""


def _server(case: Case) -> str:
    """Return what the server's own work has to do with; nothing unless its CPU moved that way too."""
    if case.server_cpu is None or case.server_cpu.verdict is not case.contrast.verdict:
        return ""
    told = []
    if case.moved("queries") > 0:
        told.append(f"queries {wording.exact_change(case.facts['queries'])}")
    if case.moved("rows") > 0:
        told.append(f"rows {wording.exact_change(case.facts['rows'])}")
    if case.moved("response_bytes") > 0:
        told.append(f"response {wording.exact_change(case.facts['response_bytes'])}")
    less = "more" if case.way > 0 else "less"
    return f"the server itself works {less}" + (f" ({', '.join(told)})" if told else "")


def _against(case: Case) -> str:
    """Return the counted facts that moved against the time; they are no cause and are not hidden."""
    told = [
        f"{wording.FACT_LABELS[name]} {wording.exact_change(case.facts[name])}"
        for name in ("queries", "rows", "cache_commands", "response_bytes")
        if case.moved(name) < 0 and not math.isnan(case.moved(name))
    ]
    return f"; against that stands: {', '.join(told)}" if told else ""
