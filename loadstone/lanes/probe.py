"""The probe lane: the same requests to every variant, with taps on the wire, for exact facts."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from loadstone.config.model import Experiment
from loadstone.errors import MeasurementError, TargetError
from loadstone.explain.explained import examples_of, plans_of, unexplained
from loadstone.explain.facts import ProbeObservation, probe_facts, sql_source
from loadstone.explain.payload import PayloadChecker, Response
from loadstone.explain.plans import watched
from loadstone.explain.slowest import slowest_probed
from loadstone.explain.tap_postgres import PostgresTap
from loadstone.explain.tap_redis import RedisTap
from loadstone.record.probed import Footprint, PlanFact, Probe
from loadstone.server_timing import decode
from loadstone.target.footprint import held, written_bytes
from loadstone.target.rest import await_rest
from loadstone.target.sql import session
from loadstone.target.stage import Generation, Stage
from loadstone.workload.protocol import Exchange, RunProbe, Side
from loadstone.workload.remote import Generator

MOST_REQUESTS = 60
PER_ENDPOINT = 5
PROBED = {"LOADSTONE_PROBE": "1"}
"""Tells an app that it is probed and not timed: it may say in comments where its SQL comes from."""
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class ProbeLane:
    """Probes one experiment."""

    experiment: Experiment
    stage: Stage
    generator: Generator
    service_us: list[int] = field(default_factory=list)
    """Known after `run`: how long the probed requests took, through the taps."""
    turnover_s: float = 0.0
    """Known after `run`: what it took to start the variants and to stop them."""
    writes: bool = False
    """Known after `run`: whether the scenario changes data."""
    statements: dict[str, list[str]] = field(default_factory=dict)
    """Known after `run`: examples of each variant's reading statements."""
    _taps: dict[int, tuple[PostgresTap | None, RedisTap | None]] = field(default_factory=dict)
    _observations: list[ProbeObservation] = field(default_factory=list)
    _pending: dict[int, dict[int, Exchange]] = field(default_factory=dict)
    _bases: list[str] = field(default_factory=list)
    _plans: list[PlanFact] = field(default_factory=list)
    _restless: list[list[int]] = field(default_factory=list)
    _footprints: list[Footprint] = field(default_factory=list)
    _sent: Counter[int] = field(default_factory=Counter)

    def run(self) -> Probe:
        """Return the facts; raises `TargetError` or `MeasurementError`."""
        variants = self.experiment.variants
        checker = PayloadChecker(self.experiment.rules)
        begin = time.monotonic()
        with ExitStack() as stack:
            cast = [(variant, slot) for slot, variant in enumerate(variants)]
            running = stack.enter_context(
                self.stage.generation(cast, rewire=lambda *where: self._rewire(stack, *where), extra=PROBED)
            )
            healthy = time.monotonic()
            self._bases = [running[variant.name].base_url for variant in variants]
            self._restless = [running[variant.name].restless() for variant in variants]
            plan = RunProbe(
                sides=[
                    Side(variant=variant.name, base_url=base)
                    for variant, base in zip(variants, self._bases, strict=True)
                ],
                users=min(self.experiment.users, 4),
                seed=self.experiment.seed,
                generation=0,
                health_path=variants[0].asked_path,
                max_requests=MOST_REQUESTS,
                per_endpoint=PER_ENDPOINT,
            )
            written = [written_bytes(running[variant.name]) for variant in variants]
            self._drain_all()
            running.settle()
            done = self.generator.run_probe(plan, lambda exchange: self._take(exchange, checker))
            running.check()
            self._weigh(running, written)
            self._explain(running)
            explained = time.monotonic()
        self.turnover_s = healthy - begin + time.monotonic() - explained
        if not done.recorded:
            raise MeasurementError(
                "the scenario sent no request that could be probed",
                cause=done.first_error or "the variants took different steps from the start",
                remedy="check the scenario with stock Locust",
            )
        self._remember_statements()
        return Probe(
            facts=probe_facts(self._observations),
            sql_source=sql_source(self._observations),
            payload=checker.result(),
            plans=self._plans,
            slowest=slowest_probed(self._observations),
            footprints=self._footprints,
        )

    def _rewire(self, stack: ExitStack, slot: int, database_url: str, redis_url: str) -> tuple[str, str]:
        """Put a tap in front of each service of a slot and return the URLs that lead through it."""
        database = redis = None
        if database_url:
            database = stack.enter_context(PostgresTap(*_address(database_url, 5432)))
            database_url = _through(database_url, database.port)
        if redis_url:
            redis = stack.enter_context(RedisTap(*_address(redis_url, 6379)))
            redis_url = _through(redis_url, redis.port)
        self._taps[slot] = (database, redis)
        return database_url, redis_url

    def _weigh(self, running: Generation, written: list[int | None]) -> None:
        """Read what each variant holds now, before anything but its requests has touched it."""
        for index, (variant, before) in enumerate(zip(self.experiment.variants, written, strict=True)):
            one = running[variant.name]
            after, now = written_bytes(one), held(one)
            self._footprints.append(
                Footprint(
                    variant=variant.name,
                    requests=self._sent[index],
                    memory_bytes=now.memory_bytes,
                    table_bytes=now.table_bytes,
                    index_bytes=now.index_bytes,
                    cache_bytes=now.cache_bytes,
                    log_bytes=None if before is None or after is None else after - before,
                )
            )

    def _explain(self, running: Generation) -> None:
        """Ask each variant's own database how it runs what took most of the time."""
        for variant in self.experiment.variants:
            url = running[variant.name].database_url
            examples = examples_of(one for one in self._observations if one.variant == variant.name)
            if not url or not examples:
                continue
            try:
                with session(url) as database:
                    self._plans += plans_of(database.run, variant.name, examples)
            except TargetError as error:  # the facts stand without plans
                self._plans += [unexplained(variant.name, one, error.cause) for one in examples]

    def _remember_statements(self) -> None:
        for variant in self.experiment.variants:
            own = [one for one in self._observations if one.variant == variant.name and one.statements]
            self.statements[variant.name] = watched(each for one in own for each in one.statements or ())

    def _drain_all(self) -> None:
        for taps in self._taps.values():
            for tap in taps:
                if tap is not None:
                    tap.drain()

    def _take(self, exchange: Exchange, checker: PayloadChecker) -> None:
        """Charge what the taps saw to the request that was just answered."""
        # what companions do for it is done before the next request asks for it
        await_rest(self._restless[exchange.variant])
        database, redis = self._taps.get(exchange.variant, (None, None))
        statements = database.drain() if database is not None else None
        commands = redis.drain() if redis is not None else None
        self.writes |= exchange.method in UNSAFE
        self._sent[exchange.variant] += 1
        if not exchange.recorded:
            return
        self.service_us.append(exchange.service_us)
        self._observations.append(
            ProbeObservation(
                endpoint=exchange.step,
                variant=self.experiment.variants[exchange.variant].name,
                repeat=exchange.repeat,
                status=exchange.status,
                response_bytes=exchange.wire_bytes,
                statements=None if database is None or database.incomplete else statements,
                commands=None if redis is None or redis.incomplete else commands,
                service_us=exchange.service_us,
                exchanges=exchange.exchanges,
                method=exchange.method,
                target=exchange.target,
                traceparent=exchange.traceparent,
                told=decode(exchange.server_timing),
            )
        )
        if not exchange.repeat:
            self._compare(exchange, checker)

    def _compare(self, exchange: Exchange, checker: PayloadChecker) -> None:
        sides = self._pending.setdefault(exchange.number, {})
        sides[exchange.variant] = exchange
        if len(sides) < len(self.experiment.variants):
            return
        before = sides.pop(0)
        for index, after in sides.items():
            checker.add(before.step, before.target, self._response(0, before), self._response(index, after))
        del self._pending[exchange.number]

    def _response(self, variant: int, exchange: Exchange) -> Response:
        return Response(
            status=exchange.status,
            content_type=exchange.content_type,
            body=exchange.body,
            base_url=self._bases[variant],
            broken=exchange.broken,
        )


def _address(url: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or default_port


def _through(url: str, port: int) -> str:
    """Return `url` with its address replaced by the tap's on loopback."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{port}"))
