"""A result in the formats of other tools: a name to each, and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadstone.record.result import Result
from loadstone.report.exports import junit, openmetrics, table

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: who reads it, and what makes it of a result."""

    readers: str
    render: Callable[[Result], str]


FORMATS = {
    "csv": Format("spreadsheets and data frames: one row a number that was compared", table.render),
    "junit": Format("test views of CI systems: a case a deciding metric, exact fact and check", junit.render),
    "openmetrics": Format("Prometheus: `promtool tsdb create-blocks-from openmetrics`", openmetrics.render),
}
