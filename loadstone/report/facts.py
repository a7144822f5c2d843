"""Exact facts side by side, and what became of every statement."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.record.probed import FactChange, PlanFact, PlanNode, ProbeFacts, StatementFact
from loadstone.record.result import Result
from loadstone.report import selection

MOST_NODES = 40
OTHER_PAGES, FEW_PAGES = 2, 8
"""A plan of the same shape is another one where it touches so many times the pages, but for a few."""
MOST_STATEMENTS, MOST_LISTS = 40, 12
"""Statements shown of an endpoint, and endpoints of which they are shown; all are in the JSON."""


@dataclass(frozen=True)
class Statement:
    """One SQL statement and its calls per request on both sides."""

    sql: str
    before: float
    after: float
    rows: tuple[float, float] | None = None
    """Per request on both sides; None where not recorded."""
    wait_us: tuple[float, float] | None = None
    plans: tuple[PlanFact | None, PlanFact | None] = (None, None)

    @property
    def change(self) -> str:
        """What became of the statement."""
        if self.before == self.after:
            return "same"
        if not self.after:
            return "gone"
        return "changed" if self.before else "new"

    @property
    def replanned(self) -> bool:
        """Whether both sides have a plan, and these differ in shape, or by a factor in the pages touched."""
        before, after = self.plans
        if before is None or after is None or not (before.nodes and after.nodes):
            return False
        few, many = sorted((before.buffers, after.buffers))
        shapes = [[one.name for one in plan.nodes] for plan in (before, after)]
        return shapes[0] != shapes[1] or many >= OTHER_PAGES * max(few, FEW_PAGES)

    def plan_lines(self, side: int) -> list[str]:
        """Return a side's plan as indented lines: rows, dropped rows and pages of each node."""
        plan = self.plans[side]
        return [] if plan is None else [_node(one) for one in plan.nodes[:MOST_NODES]]


@dataclass(frozen=True)
class Spent:
    """A part of a request's time in the probe, in microseconds on each side; None where it was not seen."""

    name: str
    before: float | None
    after: float | None
    totals: tuple[float, float]

    def share(self, side: int) -> float | None:
        """Return the part's share of the whole request."""
        own = (self.before, self.after)[side]
        return None if own is None or not self.totals[side] else own / self.totals[side]


@dataclass(frozen=True)
class Fact:
    """Exact facts of one endpoint on two variants."""

    endpoint: str
    label: str
    changes: dict[str, FactChange]
    """By the fact's name."""
    accounting: list[Spent]
    """Empty where it was not recorded."""
    statements: list[Statement]


def _node(one: PlanNode) -> str:
    parts = [f"{one.rows:,.0f} rows"]
    if one.loops > 1:
        parts.append(f"{one.loops:,.0f} times")
    if one.removed:
        parts.append(f"{one.removed:,.0f} dropped")
    parts.append(f"{one.buffers:,} pages")
    return f"{'  ' * one.depth}{one.name} ({', '.join(parts)})"


def make_fact(result: Result, endpoint: str, before: ProbeFacts, after: ProbeFacts) -> Fact:
    """Return the facts of one endpoint with its statements matched by their text."""
    calls = [dict(side.statements) for side in (before, after)]
    told = [{one.sql: one for one in side.statement_facts} for side in (before, after)]
    plans = [_plans(result, side) for side in (before, after)]
    statements = [
        Statement(
            sql,
            calls[0].get(sql, 0.0),
            calls[1].get(sql, 0.0),
            _ends(told, sql, "rows"),
            _ends(told, sql, "wait_us"),
            (plans[0].get(sql), plans[1].get(sql)),
        )
        for sql in dict.fromkeys([*calls[0], *calls[1]])
    ]
    return Fact(
        endpoint=endpoint,
        label=selection.label_of(result, after.variant) if selection.several(result) else "",
        changes=selection.exact(result, endpoint, after.variant),
        accounting=_accounting(before, after),
        statements=sorted(statements, key=_weight, reverse=True),
    )


def _accounting(before: ProbeFacts, after: ProbeFacts) -> list[Spent]:
    """Return where the time of a request went on each side, or nothing where that is not recorded."""
    sides = (before.accounting, after.accounting)
    if sides[0] is None or sides[1] is None:
        return []
    totals = sides[0].total_us, sides[1].total_us
    database = sides[0].database_us, sides[1].database_us
    cache = sides[0].cache_us, sides[1].cache_us
    rest = _rest(totals[0], database[0], cache[0]), _rest(totals[1], database[1], cache[1])
    return [
        Spent("waiting for the database", *database, totals),
        Spent("waiting for the cache", *cache, totals),
        Spent("the server itself, and what nothing here sees", *rest, totals),
        Spent("whole request", *totals, totals),
    ]


def _rest(total: float, database: float | None, cache: float | None) -> float | None:
    """Return what neither service accounts for; waits that overlap leave nothing."""
    return None if database is None or cache is None else max(0.0, total - database - cache)


def _weight(one: Statement) -> tuple[float, float]:
    return max(one.wait_us or (0.0,)), max(one.before, one.after)


def _plans(result: Result, side: ProbeFacts) -> dict[str, PlanFact]:
    plans = result.probe.plans if result.probe else []
    return {one.sql: one for one in plans if (one.endpoint, one.variant) == (side.endpoint, side.variant)}


def _ends(told: list[dict[str, StatementFact]], sql: str, name: str) -> tuple[float, float] | None:
    """Return a figure of a statement on both sides, 0 where a side did not send it."""
    if not any(told):
        return None
    before, after = (getattr(side[sql], name) if sql in side else 0.0 for side in told)
    return before, after
