"""Families of OpenMetrics whose samples bear the times at which they were true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest

ALL = "all"
"""The label of all endpoints together."""

Series = dict[tuple[str, ...], dict[float, float]]
"""Of one family: label values -> seconds since 1970 -> value."""


def expose(families: Iterable[Metric]) -> str:
    """Return the exposition of families, ended with `# EOF`."""
    registry = CollectorRegistry()
    registry.register(_Collector(list(families)))
    text: bytes = generate_latest(registry)
    return text.decode()


def gauge(name: str, told: str, labels: tuple[str, ...], series: Series) -> Metric:
    """Return a family of values that go up and down."""
    return _filled(GaugeMetricFamily(name, told, labels=labels), series)


def counter(name: str, told: str, labels: tuple[str, ...], series: Series) -> Metric:
    """Return a family of totals."""
    return _filled(CounterMetricFamily(name, told, labels=labels), series)


def seconds_of(at: str) -> float:
    """Return an ISO 8601 time in seconds since 1970."""
    return datetime.fromisoformat(at).timestamp()


def _filled(family: GaugeMetricFamily | CounterMetricFamily, series: Series) -> Metric:
    for values, samples in series.items():
        for at in sorted(samples):
            family.add_metric(values, samples[at], timestamp=at)
    return family


@dataclass(frozen=True, eq=False)
class _Collector:
    """Gives families that are made already."""

    families: list[Metric]

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: what there is depends on the run."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each family."""
        yield from self.families
