"""A run's own series, as Prometheus scrapes them.

Labels are bounded: `run`, `variant`, `endpoint` (the first fifty, then `other`) and
`outcome`. Names are those of the exported OpenMetrics file where both have a series.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from loadstone.record.histogram import Histogram
from loadstone.record.recording import Time
from loadstone.record.result import Contrast
from loadstone.report import safe
from loadstone.report.exports.families import ALL
from loadstone.report.exports.openmetrics import EFFECT_LABELS, LEVEL_LABELS, UNITS
from loadstone.stats.verdicts import Verdict
from loadstone.telemetry.buckets import cumulative
from loadstone.telemetry.state import Shown, Sums

MOST_ENDPOINTS = 50
OTHER = "other"
BY_OUTCOME = (*LEVEL_LABELS, "outcome")
BY_VARIANT = ("run", "variant")


@dataclass(frozen=True, slots=True)
class Collector:
    """Gives prometheus-client the families of the run that `shown` returns, anew at each scrape."""

    shown: Callable[[], Shown | None]

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: there is no run yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every family that has a sample."""
        now = self.shown()
        if now is not None:
            yield from (family for family in _families(now) if family.samples)


def _families(now: Shown) -> Iterator[Metric]:
    yield from _facts(now)
    yield from _counts(now)
    yield from _times(now)
    yield from _findings(now)


def _facts(now: Shown) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "loadstone_run_info", "1 for each variant of the run", labels=(*BY_VARIANT, "title", "label")
    )
    for name, label in now.variants:
        info.add_metric((now.run, safe.name(name), safe.name(now.title), safe.name(label)), 1)
    yield info
    generation = GaugeMetricFamily("loadstone_generation", "Generation, counted from 1", labels=("run",))
    generation.add_metric((now.run,), now.generation)
    yield generation
    running = GaugeMetricFamily("loadstone_running", "Whether the run goes on", labels=("run",))
    running.add_metric((now.run,), float(not now.ended))
    yield running
    told = "Requests a second that the generator was found able to send"
    sendable = GaugeMetricFamily("loadstone_sendable_requests_per_second", told, labels=("run",))
    if now.sendable_rps is not None:
        sendable.add_metric((now.run,), now.sendable_rps)
    yield sendable


def _counts(now: Shown) -> Iterator[Metric]:
    requests = CounterMetricFamily("loadstone_requests", "Measured requests by outcome", labels=BY_OUTCOME)
    for labels, count in _request_counts(now).items():
        requests.add_metric(labels, count)
    yield requests
    told: list[tuple[str, str, Callable[[Sums], float]]] = [
        ("loadstone_offered", "Arrivals that the plan has until now", lambda one: one.planned),
        ("loadstone_achieved", "Arrivals that were handed out", lambda one: one.arrivals),
        ("loadstone_load_seconds", "Time under load", lambda one: one.seconds),
        ("loadstone_generator_cpu_seconds", "CPU of the busiest worker", lambda one: one.generator_cpu_s),
    ]
    for name, text, value in told:
        counter = CounterMetricFamily(name, text, labels=BY_VARIANT)
        for (variant, _), sums in zip(now.variants, now.sums, strict=True):
            if sums.seconds and (sums.planned or name not in {"loadstone_offered", "loadstone_achieved"}):
                counter.add_metric((now.run, safe.name(variant)), value(sums))
        yield counter
    for name, text, values in (
        ("loadstone_users", "Users of the pool or crowd", now.users),
        ("loadstone_backlog", "Arrivals that wait for a free user", now.backlog),
    ):
        gauge = GaugeMetricFamily(name, text, labels=BY_VARIANT)
        for (variant, _), count in zip(now.variants, values, strict=True):
            gauge.add_metric((now.run, safe.name(variant)), count)
        yield gauge


def _times(now: Shown) -> Iterator[Metric]:
    for name, text, time in (
        ("loadstone_response_seconds", "From the intended start to the last byte", "response"),
        ("loadstone_service_seconds", "From the send to the last byte", "service"),
    ):
        family = HistogramMetricFamily(name, text, labels=BY_OUTCOME)
        for labels, histogram in _by_outcome(now, time).items():  # type: ignore[arg-type]  # literals above
            _add(family, labels, histogram)
        yield family
    for name, text, dispatch in (
        ("loadstone_lag_seconds", "From the intended start to the send", False),
        ("loadstone_dispatch_lag_seconds", "By how much arrivals were handed out late", True),
    ):
        family = HistogramMetricFamily(name, text, labels=BY_VARIANT)
        for (variant, _), sums in zip(now.variants, now.sums, strict=True):
            histogram = (sums.lag if dispatch else sums.requests).histogram("lag")
            if histogram.total:
                _add(family, (now.run, safe.name(variant)), histogram)
        yield family


def _findings(now: Shown) -> Iterator[Metric]:
    told = "Change of a metric against the baseline, with the ends of its interval"
    effects = GaugeMetricFamily("loadstone_effect", told, labels=EFFECT_LABELS)
    for one in now.contrasts:
        _add_effect(effects, now.run, one)
    yield effects
    verdicts = GaugeMetricFamily("loadstone_verdict", "1 for the run's verdict", labels=("run", "verdict"))
    for each in Verdict if now.verdict is not None else ():
        verdicts.add_metric((now.run, str(each)), float(each is now.verdict))
    yield verdicts


def _add_effect(family: GaugeMetricFamily, run: str, one: Contrast) -> None:
    if one.effect is None:
        return
    factor = 1.0 if one.effect.kind == "ratio" else UNITS.get(one.unit, ("", 1.0))[1]
    endpoint = safe.name(one.endpoint) if one.endpoint else ALL
    labels = (run, safe.name(one.variant), endpoint, one.metric, one.effect.kind)
    for bound in ("estimate", "low", "high"):
        family.add_metric((*labels, bound), getattr(one.effect, bound) * factor)


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram) -> None:
    family.add_metric(labels, buckets=cumulative(histogram), sum_value=histogram.sum_us / 1e6)


def _request_counts(now: Shown) -> dict[tuple[str, ...], int]:
    return {labels: histogram.total for labels, histogram in _by_outcome(now, "service").items()}


def _by_outcome(now: Shown, time: Time) -> dict[tuple[str, ...], Histogram]:
    """Return a histogram for each (run, variant, endpoint, outcome)."""
    parts: dict[tuple[str, ...], list[Histogram]] = defaultdict(list)
    names = {key.endpoint: None for sums in now.sums for key in sums.requests.cells}
    kept = set(list(names)[:MOST_ENDPOINTS])
    for (variant, _), sums in zip(now.variants, now.sums, strict=True):
        for key, times in sums.requests.cells.items():
            endpoint = safe.name(key.endpoint) if key.endpoint in kept else OTHER
            labels = (now.run, safe.name(variant), endpoint, key.outcome.label)
            parts[labels].append(getattr(times, time))
    return {labels: Histogram.total_of(each) for labels, each in parts.items()}
