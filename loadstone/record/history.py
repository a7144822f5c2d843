"""What runs found, kept over time: a line for each metric and endpoint, in SQLite or as JSON lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.base import Record
from loadstone.record.result import Result, RunStatus

STORE = "history.sqlite"
LINES = ".jsonl"
_TABLE = """
CREATE TABLE IF NOT EXISTS history (
  run TEXT, at TEXT, experiment TEXT, machine TEXT, base TEXT, head TEXT, subject TEXT,
  metric TEXT, endpoint TEXT, unit TEXT, kind TEXT, before REAL, after REAL, estimate REAL,
  low REAL, high REAL, p_value REAL,
  PRIMARY KEY (run, metric, endpoint)
)
"""


class HistoryRow(Record, frozen=True, kw_only=True):
    """One metric of one endpoint in one run: head against base."""

    run: str
    at: str
    experiment: str
    """Scenario, size and lane: only what agrees in it belongs together."""
    machine: str
    base: str
    """Commit, or the label where it is none."""
    head: str
    subject: str
    metric: str
    endpoint: str
    """Empty: all endpoints together."""
    unit: str
    kind: str
    """`ratio`, `difference`, or `exact`."""
    before: float
    after: float
    estimate: float
    """As a fraction of the base, or a difference."""
    low: float
    high: float
    p_value: float | None = None


def rows_of(result: Result) -> list[HistoryRow]:
    """Return the lines of a run; nothing of one that must not be believed."""
    if result.run.status is RunStatus.INVALID:
        return []
    before, after = result.variants[0], result.variants[1]
    lanes = [lane for lane in result.experiment.lanes if lane != "probe"] or ["probe"]
    shared = {
        "run": result.run.id,
        "at": result.run.started_at,
        "experiment": f"{result.experiment.scenario} {result.experiment.size} {lanes[-1]}",
        "machine": result.machine.fingerprint,
        "base": before.provenance.get("commit") or before.label,
        "head": after.provenance.get("commit") or after.label,
        "subject": after.provenance.get("subject", ""),
    }
    found = [
        HistoryRow(
            metric=one.metric,
            endpoint=one.endpoint or "",
            unit=one.unit,
            kind=one.effect.kind,
            before=one.before,
            after=one.after,
            estimate=one.effect.estimate,
            low=one.effect.low,
            high=one.effect.high,
            p_value=one.p_value,
            **shared,
        )
        for one in result.contrasts
        if one.variant == after.name
        and one.effect is not None
        and one.before is not None
        and one.after is not None
    ]
    for fact in result.facts:
        if fact.variant == after.name:
            change = fact.after - fact.before
            found.append(
                HistoryRow(
                    metric=fact.fact,
                    endpoint=fact.endpoint,
                    unit=fact.unit,
                    kind="exact",
                    before=fact.before,
                    after=fact.after,
                    estimate=change,
                    low=change,
                    high=change,
                    p_value=None,
                    **shared,
                )
            )
    return found


def append(path: Path, rows: Iterable[HistoryRow]) -> int:
    """Add lines to a store and return how many were new; a run is kept once.

    Raises:
        ConfigurationError: the store cannot be written.
    """
    kept = list(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == LINES:
            known = {one.run for one in read(path)} if path.exists() else set()
            new = [one for one in kept if one.run not in known]
            with path.open("ab") as file:
                file.writelines(msgspec.json.encode(one) + b"\n" for one in new)
            return len(new)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(_TABLE)
            marks = ", ".join("?" for _ in HistoryRow.__struct_fields__)
            names = ", ".join(HistoryRow.__struct_fields__)
            before = database.total_changes
            database.executemany(
                f"INSERT OR IGNORE INTO history ({names}) VALUES ({marks})",  # noqa: S608 - our own names
                [msgspec.structs.astuple(one) for one in kept],
            )
            return database.total_changes - before
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, str(error)) from error


def read(path: Path) -> list[HistoryRow]:
    """Return all lines, in the order of their runs; raises `ConfigurationError` where there is no store."""
    try:
        if path.suffix == LINES:
            lines = path.read_bytes().splitlines()
            found = [msgspec.json.decode(line, type=HistoryRow) for line in lines if line.strip()]
        else:
            path.stat()  # SQLite would make a file that is not there
            names = HistoryRow.__struct_fields__
            with closing(sqlite3.connect(path)) as database:
                rows = database.execute(f"SELECT {', '.join(names)} FROM history").fetchall()  # noqa: S608 - as above
            found = [HistoryRow(**dict(zip(names, row, strict=True))) for row in rows]
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no history in {path}",
            remedy="add runs with loadstone history add, or --record",
        ) from error
    except (OSError, sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    return sorted(found, key=lambda one: (one.at, one.run))


def _unusable(path: Path, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no history that can be used", cause=cause, remedy="name another file with --store"
    )
