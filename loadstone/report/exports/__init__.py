"""A result in the formats of other tools: a name to each, and what writes it of every kind of run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadstone.record.capacity_result import CapacityResult
from loadstone.record.load_result import LoadResult
from loadstone.record.result import Result
from loadstone.report.exports import capacity, junit, load, openmetrics, table

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: who reads it, and what makes it of a comparison, a load run and a search for capacity."""

    readers: str
    of_comparison: Callable[[Result], str]
    of_load: Callable[[LoadResult], str]
    of_capacity: Callable[[CapacityResult], str]

    def render(self, result: Result | LoadResult | CapacityResult) -> str:
        """Return the text."""
        if isinstance(result, LoadResult):
            return self.of_load(result)
        if isinstance(result, CapacityResult):
            return self.of_capacity(result)
        return self.of_comparison(result)


FORMATS = {
    "csv": Format(
        "spreadsheets and data frames: one row a number that was compared or measured",
        table.render,
        load.csv,
        capacity.csv,
    ),
    "junit": Format(
        "test views of CI systems: a case a deciding metric or threshold, exact fact and check",
        junit.render,
        load.junit,
        capacity.junit,
    ),
    "openmetrics": Format(
        "Prometheus: `promtool tsdb create-blocks-from openmetrics`",
        openmetrics.render,
        load.openmetrics,
        capacity.openmetrics,
    ),
}
