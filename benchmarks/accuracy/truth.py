"""How large an injected cost truly was in a run: from the app's own account of every request.

Each server process of `target/` keeps an account (`target/bench/account.py`).
Its last entries are matched with the timed requests of a generation by their
starting times: both sides read the machine's one monotonic clock. Then what the
cost added is taken out of every request of *after* again, and the truth is what
that changes in the shipped estimators: the effect that this very run should have
found.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from loadstone.record.journal import CpuSeconds, GenerationLine, PlanLine, read_chunk, read_journal
from loadstone.record.observations import Rows
from loadstone.verdict.levels import Observations, gather, levels
from loadstone.verdict.metrics import BY_NAME

Table = NDArray[np.void]
FloatArray = NDArray[np.float64]

HEADER = 1024
MOST_LATER = 20
"""Requests of a process after the timed ones (of `on_stop`) that matching allows for."""
ROUNDING_NS = 100_000
"""Allowed for times in whole microseconds, many times over."""
METRICS = ("latency_mean", "latency_p50", "latency_p95", "latency_p99", "cpu")


class UnknownTruthError(Exception):
    """The account of a run does not fit its requests."""


@dataclass(frozen=True, slots=True)
class Process:
    """The account of one server process."""

    choices: dict[str, str]
    entries: Table
    """One row a request, in the order of their beginnings; columns as the account names them."""


def read_accounts(folder: Path) -> list[Process]:
    """Return the accounts of all processes that noted any request."""
    processes = []
    for path in sorted(folder.glob("*.account")):
        with path.open("rb") as file:
            header = json.loads(file.read(HEADER))
            kind = np.dtype([(name, "<i8") for name in header["columns"]])
            entries = np.fromfile(file, dtype=kind)
        entries = entries[entries["begin_ns"] > 0]
        if entries.size:
            processes.append(Process(header["choices"], np.sort(entries, order="begin_ns")))
    return processes


def find_entries(processes: list[Process], choices: dict[str, str], rows: Rows) -> Table:
    """Return the entries [n] of `rows` [n], both in the order of their beginnings.

    The server takes a request up after it was sent and before it was answered, so
    with the true offset between the two zeros every entry lies within its request.
    Of sequences that allow for such an offset, the one that keeps closest to it.

    Raises:
        UnknownTruthError: no process with these choices served such a sequence.
    """
    rows = np.sort(rows, order="start_us")
    sent = rows["start_us"].astype(np.int64) * 1000
    answered = sent + rows["service_us"].astype(np.int64) * 1000
    best, found = math.inf, None
    for process in processes:
        if any(process.choices[name] != choices.get(name) for name in process.choices):
            continue
        for later in range(min(MOST_LATER, process.entries.size - rows.size) + 1):
            entries = process.entries[process.entries.size - later - rows.size :][: rows.size]
            after_sent = entries["begin_ns"] - sent
            if (entries["begin_ns"] - answered).max() > after_sent.min() + ROUNDING_NS:
                continue
            low, high = np.quantile(after_sent, (0.25, 0.75))
            if high - low < best:
                best, found = high - low, entries
    if found is None:
        raise UnknownTruthError(f"no account fits {rows.size} requests of {choices}")
    return found


def added_wall_ns(entries: Table, kind: str) -> FloatArray:
    """Return the time [n] that a request spent before its answer on what differs between the variants.

    A dropped index costs CPU of the backend, for which the request waits; the time
    of its statements would bear the noise of all that shares the core. It is a lower
    bound: on a machine that is busy otherwise, the request waits for longer.
    """
    column = "backend_cpu_ns" if kind == "index" else "added_wall_ns"
    return np.asarray(entries[column], dtype=np.float64)


def added_cpu_ns(entries: Table, kind: str) -> FloatArray:
    """Return the CPU [n] of what differs between the variants, before the answer and after it."""
    total = np.zeros(entries.size)
    if kind != "index":
        total += entries["added_cpu_ns"] + entries["later_cpu_ns"]
    if kind in {"query", "index"}:
        total += entries["backend_cpu_ns"]
    return total


def measure(run: Path, accounts: Path, kind: str, generations: int) -> dict[str, float]:
    """Return the true effects of a run by metric, as ratios less one.

    Args:
        run: the run's folder.
        accounts: folder of the accounts that its servers wrote.
        kind: of the injected cost.
        generations: how many of the run's generations were judged.

    Beside the metrics: `mean` (of the plain mean latency, without a cap),
    `added_wall_us` and `added_cpu_us` (per request), `requests` (of *after*).

    Raises:
        UnknownTruthError: the account does not fit the run.
    """
    lines = read_journal(run)
    plan = next(line.plan for line in lines if isinstance(line, PlanLine))
    measured = [line for line in lines if isinstance(line, GenerationLine)][:generations]
    if not measured:
        raise UnknownTruthError("the run has no generation")
    processes = read_accounts(accounts)
    sealed = [(line, read_chunk(run, line.chunk)) for line in measured]
    observed = gather(2, sealed)
    by_request = all(one.cpu_us is not None for one in observed.generations)
    bare, costs = [], []
    for line, rows in sealed:
        before, after = (
            find_entries(processes, variant.toggles, rows[rows["variant"] == index])
            for index, variant in enumerate(plan.variants)
        )
        cost = Cost(
            wall_ns=added_wall_ns(after, kind) - added_wall_ns(before, kind).mean(),
            cpu_ns=added_cpu_ns(after, kind) - added_cpu_ns(before, kind).mean(),
        )
        bare.append(_without(line, rows, cost, by_request=by_request))
        costs.append(cost)
    return _effects(observed, gather(2, bare), costs)


@dataclass(frozen=True, slots=True)
class Cost:
    """What *after* spent beyond *before*, request by request [n], in the order of their beginnings."""

    wall_ns: FloatArray
    cpu_ns: FloatArray


def _without(
    line: GenerationLine, rows: Rows, cost: Cost, *, by_request: bool
) -> tuple[GenerationLine, Rows]:
    """Return a generation with the cost taken out of what *after* was measured at.

    Args:
        line: of the journal.
        rows: as sealed.
        cost: of the requests of *after*.
        by_request: whether CPU was judged request by request; the same way must be
            chosen again, which depends on how well requests and processes agree.
    """
    bare = rows.copy()
    places = np.flatnonzero(rows["variant"] == 1)
    places = places[np.argsort(rows["start_us"][places], kind="stable")]
    _take(bare, "service_us", places, cost.wall_ns)
    spent = line.cpu[1]
    if by_request:
        _take(bare, "cpu_us", places, cost.cpu_ns)
        kept = bare["cpu_us"][places].sum() / rows["cpu_us"][places].sum()
        total = _total(spent) * (kept - 1.0)
    else:
        bare["cpu_us"] = 0
        total = -float(cost.cpu_ns.sum()) / 1e9
    if spent.server_s is not None:
        # to which process the CPU belonged makes no difference to the sum that is judged
        spent = replace(spent, server_s=spent.server_s + float(total))
    return replace(line, cpu=[line.cpu[0], spent, *line.cpu[2:]]), bare


def _total(spent: CpuSeconds) -> float:
    return sum(part or 0.0 for part in (spent.server_s, spent.database_s, spent.cache_s))


def _take(rows: Rows, field: str, places: NDArray[np.intp], excess_ns: FloatArray) -> None:
    """Subtract from a field in microseconds, and leave at least one."""
    rows[field][places] = np.maximum(rows[field][places] - np.round(excess_ns / 1e3), 1)


def _effects(observed: Observations, bare: Observations, costs: list[Cost]) -> dict[str, float]:
    found = {}
    for name in METRICS:
        change = _log_ratios(observed, name) - _log_ratios(bare, name)
        if np.isfinite(change).all():
            found[name] = math.expm1(float(change.mean()))
    tables = [one.rows["service_us"][one.rows["variant"] == 1] for one in observed.generations]
    latency_us = float(np.concatenate(tables).mean())
    added_us = float(np.concatenate([cost.wall_ns for cost in costs]).mean()) / 1e3
    return found | {
        "mean": added_us / (latency_us - added_us),
        "added_wall_us": added_us,
        "added_cpu_us": float(np.concatenate([cost.cpu_ns for cost in costs]).mean()) / 1e3,
        "requests": float(sum(table.size for table in tables)),
    }


def _log_ratios(observations: Observations, metric: str) -> FloatArray:
    table = levels(observations, BY_NAME[metric], None)
    return np.asarray(np.log(table[:, 1] / table[:, 0]), dtype=np.float64)
