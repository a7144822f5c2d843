"""The table of metrics: one row each, from which lanes, reports and docs derive."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.stats.verdicts import Direction


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, in which unit, which way is better, and whether it gates."""

    name: str
    title: str
    unit: str
    lane: str = "pair"
    gating: bool = False
    per_endpoint: bool = True
    """Whether it can be told apart by endpoint."""
    ratio: bool = True
    """Compared by ratio; otherwise by difference."""
    quantile: float | None = None
    direction: Direction = Direction.LOWER


METRICS: tuple[Metric, ...] = (
    Metric("latency_mean", "mean latency, capped at the pooled p99", "us", gating=True),
    Metric("latency_p50", "median latency", "us", quantile=0.50),
    Metric("latency_p95", "95th percentile of latency", "us", gating=True, quantile=0.95),
    Metric("latency_p99", "99th percentile of latency", "us", quantile=0.99),
    Metric(
        "cpu",
        "CPU of all processes per request, capped at the pooled p99",
        "s",
        gating=True,
        per_endpoint=False,
    ),
    Metric("cpu_server", "CPU of the server processes per request", "s", per_endpoint=False),
    Metric("cpu_database", "CPU of the database backends per request", "s", per_endpoint=False),
    Metric(
        "throughput",
        "requests per second of service time",
        "rps",
        direction=Direction.HIGHER,
    ),
    Metric("errors", "share of requests that failed", "share", gating=True, ratio=False),
)
"""At most five gate: the false-alarm rate is divided among them, available or not."""

BY_NAME = {metric.name: metric for metric in METRICS}
GATING = tuple(metric.name for metric in METRICS if metric.gating)


def name_of(metric: str, endpoint: str | None) -> str:
    """Return how plans and configurations name a metric: `cpu`, or `GET /products: latency_p95`."""
    return metric if endpoint is None else f"{endpoint}: {metric}"


def split_name(name: str) -> tuple[str | None, str]:
    """Return endpoint and metric of a name; None: all endpoints together."""
    endpoint, separator, metric = name.rpartition(": ")
    return (endpoint if separator else None), metric


ERROR_MARGIN = 0.001
"""Smallest difference in the share of failed requests that matters: one in a thousand."""
