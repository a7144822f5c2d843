"""How a database ran a statement: EXPLAIN (ANALYZE, BUFFERS), on data that the probe has just used.

Run once a statement, after probing, in a transaction that is rolled back; never
in a timed lane.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from loadstone.errors import LoadstoneError
from loadstone.explain.facts import ProbeObservation
from loadstone.explain.tap_postgres import Statement
from loadstone.record.probed import PlanFact, PlanNode

MOST_STATEMENTS = 8
"""Of each endpoint: those that took most of the time."""
MOST_PLANS = 24
"""Of each variant."""
LONGEST_MS = 2_000
EXPLAINED = frozenset({"select", "insert", "update", "delete", "with"})
_NUMBERED = re.compile(r"\$\d")
Run = Callable[[str], Sequence[tuple[Any, ...]]]
"""Executes a statement and returns its rows; each statement is a transaction unless one is begun."""


@dataclass(frozen=True, slots=True)
class Example:
    """One statement as it was sent, and where."""

    endpoint: str
    sql: str
    normalised: str


def examples_of(observations: Iterable[ProbeObservation]) -> list[Example]:
    """Return an example of each statement of one variant that is worth explaining, the costliest first."""
    waits: dict[tuple[str, str], int] = defaultdict(int)
    texts: dict[tuple[str, str], str] = {}
    for seen in observations:
        for one in seen.statements or ():
            if _explainable(one) and not seen.repeat:
                key = seen.endpoint, one.normalised
                waits[key] += one.duration_us
                texts.setdefault(key, one.sql)
    taken: dict[str, int] = defaultdict(int)
    found = []
    for key in sorted(waits, key=lambda one: (-waits[one], one)):
        taken[key[0]] += 1
        if taken[key[0]] <= MOST_STATEMENTS:
            found.append(Example(key[0], texts[key], key[1]))
    return found[:MOST_PLANS]


def plans_of(run: Run, variant: str, examples: Sequence[Example]) -> list[PlanFact]:
    """Return the plan of each example; one that cannot be explained says why.

    Raises:
        LoadstoneError: the database is not there any more.
    """
    run(f"SET statement_timeout = {LONGEST_MS}")
    return [_plan(run, variant, one) for one in examples]


def unexplained(variant: str, example: Example, why: str) -> PlanFact:
    """Return the entry of a statement without a plan; of the reason its first line, which holds no values."""
    first = next(iter(why.strip().splitlines()), "it could not be explained")
    return PlanFact(endpoint=example.endpoint, variant=variant, sql=example.normalised, error=first[:160])


def _explainable(one: Statement) -> bool:
    """Tell whether EXPLAIN can run it as it stands: no parameters that were sent beside it."""
    return one.kind in EXPLAINED and not one.control and not one.error and not _NUMBERED.search(one.sql)


def _plan(run: Run, variant: str, example: Example) -> PlanFact:
    run("BEGIN")
    try:
        ((answer,),) = run(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {example.sql}")
        told = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    except (LoadstoneError, ValueError, LookupError) as error:
        return unexplained(variant, example, getattr(error, "cause", "") or str(error))
    finally:
        run("ROLLBACK")
    nodes = list(_nodes(told["Plan"], 0))
    return PlanFact(
        endpoint=example.endpoint,
        variant=variant,
        sql=example.normalised,
        nodes=nodes,
        buffers=nodes[0].buffers,
        time_us=round(1000.0 * float(told.get("Execution Time", 0.0)), 1),
    )


def _nodes(plan: dict[str, Any], depth: int) -> Iterator[PlanNode]:
    loops = float(plan.get("Actual Loops", 0))
    removed = sum(
        float(plan.get(key, 0)) for key in ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    yield PlanNode(
        depth=depth,
        name=_name(plan),
        rows=float(plan.get("Actual Rows", 0)) * loops,
        loops=loops,
        removed=removed * loops,
        buffers=int(plan.get("Shared Hit Blocks", 0)) + int(plan.get("Shared Read Blocks", 0)),
    )
    for child in plan.get("Plans", ()):
        yield from _nodes(child, depth + 1)


def _name(plan: dict[str, Any]) -> str:
    """Return a node's name as EXPLAIN's text format has it."""
    kind = str(plan.get("Node Type", "?"))
    if kind == "ModifyTable":
        kind = str(plan.get("Operation", kind))
    if kind == "Aggregate" and plan.get("Strategy") == "Hashed":
        kind = "HashAggregate"
    parts = [kind]
    if index := plan.get("Index Name"):
        parts.append(f"using {index}" if "Relation Name" in plan else f"on {index}")
    if relation := plan.get("Relation Name"):
        parts.append(f"on {relation}")
    return " ".join(parts)
