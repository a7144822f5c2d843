"""What exports of load runs and of searches for capacity share."""

from __future__ import annotations

from collections.abc import Iterable

from loadstone.record.capacity_result import CapacityResult
from loadstone.record.load_result import LoadResult
from loadstone.report.exports.suites import Case, write


def suite(
    kind: str, result: LoadResult | CapacityResult, word: str, headline: str, cases: Iterable[Case]
) -> str:
    """Return the JUnit suite of a run, with what is known of it as properties."""
    machine = result.machine
    properties = {
        "run": result.id,
        "outcome": word.lower(),
        "headline": headline,
        "command": result.plan.command,
        "machine": f"{machine.cpu_model}, {machine.cores} cores ({machine.fingerprint})",
        "loadstone": result.plan.loadstone_version,
    }
    title = f"{kind} {result.plan.title}"
    return write(title, cases, properties, seconds=result.duration_s, at=result.started_at)
