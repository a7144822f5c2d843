"""The probe lane: the same requests to every variant, with taps on the wire, for exact facts."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from loadstone.config.model import Experiment
from loadstone.errors import MeasurementError
from loadstone.explain.facts import ProbeObservation, probe_facts
from loadstone.explain.payload import PayloadChecker, Response
from loadstone.explain.tap_postgres import PostgresTap
from loadstone.explain.tap_redis import RedisTap
from loadstone.record.plan import Plan
from loadstone.record.result import Probe
from loadstone.target.stage import Stage
from loadstone.workload.protocol import Exchange, RunProbe, Side
from loadstone.workload.remote import Generator

MOST_REQUESTS = 60
PER_ENDPOINT = 5
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class ProbeLane:
    """Probes one experiment."""

    experiment: Experiment
    plan: Plan
    stage: Stage
    generator: Generator
    writes: bool = False
    """Known after `run`: whether the scenario changes data."""
    _taps: dict[int, tuple[PostgresTap | None, RedisTap | None]] = field(default_factory=dict)
    _observations: list[ProbeObservation] = field(default_factory=list)
    _pending: dict[int, dict[int, Exchange]] = field(default_factory=dict)
    _bases: list[str] = field(default_factory=list)

    def run(self) -> Probe:
        """Return the facts; raises `TargetError` or `MeasurementError`."""
        variants = self.experiment.variants
        checker = PayloadChecker(self.experiment.rules)
        with ExitStack() as stack:
            cast = [(variant, slot) for slot, variant in enumerate(variants)]
            running = stack.enter_context(
                self.stage.generation(cast, rewire=lambda *where: self._rewire(stack, *where))
            )
            self._bases = [running[variant.name].base_url for variant in variants]
            plan = RunProbe(
                sides=[
                    Side(variant=variant.name, base_url=base)
                    for variant, base in zip(variants, self._bases, strict=True)
                ],
                users=min(self.plan.users, 4),
                seed=self.plan.seed,
                generation=0,
                health_path=variants[0].health_path,
                max_requests=MOST_REQUESTS,
                per_endpoint=PER_ENDPOINT,
            )
            self._drain_all()
            done = self.generator.run_probe(plan, lambda exchange: self._take(exchange, checker))
            running.check()
        if not done.recorded:
            raise MeasurementError(
                "the scenario sent no request that could be probed",
                cause=done.first_error or "the variants took different steps from the start",
                remedy="check the scenario with stock Locust",
            )
        return Probe(facts=probe_facts(self._observations), payload=checker.result())
