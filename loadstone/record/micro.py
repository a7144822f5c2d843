"""Micro-benchmarks of two commits: what was found, and pytest-benchmark's own JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from loadstone.errors import MeasurementError
from loadstone.record.base import Record
from loadstone.record.result import Effect
from loadstone.stats.verdicts import Verdict

MICRO_VERSION = "1.1"
MICRO = "micro.json"


class Instructions(Record, frozen=True, kw_only=True):
    """Instructions per call, as callgrind counted them; the least of each side's counts."""

    before: float
    after: float
    change: float
    """As a share of before."""
    spread: float
    """By how much the counts of one side differ among themselves, at most."""
    says: str
    """more, fewer, or same: no further apart than tolerance and spread together."""


class MicroFinding(Record, frozen=True, kw_only=True):
    """One benchmark, head against base."""

    name: str
    group: str
    before_s: float | None = None
    """Geometric mean over generations of the median round."""
    after_s: float | None = None
    effect: Effect | None = None
    verdict: Verdict | None = None
    p_value: float | None = None
    q_value: float | None = None
    why: str = ""
    """Why there is no effect."""
    instructions: Instructions | None = None
    """A second opinion, which decides nothing; None where it was not asked for, or cannot be had."""


class MicroResult(Record, frozen=True, kw_only=True):
    """Everything that a comparison of micro-benchmarks found."""

    micro_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")] = MICRO_VERSION
    loadstone_version: str
    base: str
    head: str
    generations: int
    margin: float
    alpha: float
    """Of false discoveries among all benchmarks together."""
    verdict: Verdict
    exit_code: int
    machine: str
    took_s: float
    findings: list[MicroFinding]
    count_tolerance: float | None = None
    """Up to which instructions count as the same; None where none were counted."""
    uncounted: str = ""
    """Why instructions that were asked for could not be counted, and what to do."""


def encode_micro(result: MicroResult) -> bytes:
    """Return the record as indented JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def read_benchmarks(path: Path) -> dict[str, dict[str, Any]]:
    """Return the benchmarks of a pytest-benchmark file by their full names.

    Raises:
        MeasurementError: there is no such file, or it is none.
    """
    try:
        told = json.loads(path.read_bytes())
        return {str(one["fullname"]).rpartition("/")[2]: one for one in told["benchmarks"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MeasurementError(
            f"{path} is no file of pytest-benchmark",
            cause=str(error),
            remedy="write it with --benchmark-json",
        ) from error


def merge(paths: Sequence[Path]) -> dict[str, Any]:
    """Return several files of one side as one: rounds together, their figures reckoned anew."""
    whole: dict[str, Any] = json.loads(paths[0].read_bytes())
    rounds: dict[str, list[float]] = {}
    for path in paths:
        for one in json.loads(path.read_bytes())["benchmarks"]:
            rounds.setdefault(one["fullname"], []).extend(one["stats"].get("data", ()))
    for one in whole["benchmarks"]:
        data = rounds[one["fullname"]]
        if len(data) > 1:
            one["stats"] |= _figures(data)
    return whole


def _figures(data: list[float]) -> dict[str, Any]:
    """Return the figures of pytest-benchmark for rounds in seconds."""
    q1, median, q3 = statistics.quantiles(data, n=4)
    mean, sd = statistics.fmean(data), statistics.stdev(data)
    return {
        "min": min(data),
        "max": max(data),
        "mean": mean,
        "stddev": sd,
        "rounds": len(data),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "total": sum(data),
        "ops": 1 / mean,
        "data": data,
    }
