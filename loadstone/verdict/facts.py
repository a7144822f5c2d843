"""What a result tells beside its contrasts: distributions, outcomes, sequence, generations."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from loadstone.record.observations import ROW, Outcome
from loadstone.record.plan import Plan
from loadstone.record.result import Distribution, GenerationInfo, OutcomeCount, Sequence, UserSequence
from loadstone.stats.estimators import IntArray, quantiles
from loadstone.stats.inference import contrasts
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import Observations, levels
from loadstone.verdict.metrics import BY_NAME

_GRID = (
    *(step / 100 for step in range(100)),
    *(0.9 + step / 1000 for step in range(1, 100) if step % 10),
    *(0.99 + step / 10_000 for step in range(1, 91)),
    0.9995,
    0.9999,
)
SEQUENCE_PREFIX = 8
"""Requests of each user that the sequence hash covers; the first generation waits for as many."""


def distributions(observations: Observations, plan: Plan) -> list[Distribution]:
    """Return the service times of every endpoint and variant, over all generations, gaps left out."""
    found = []
    kept = [
        measured.rows[measured.good & (measured.rows["gap"] == 0)] for measured in observations.generations
    ]
    rows = np.concatenate(kept) if kept else np.empty(0, dtype=ROW)
    for endpoint in (None, *range(len(observations.endpoints))):
        chosen = rows if endpoint is None else rows[rows["step"] == endpoint]
        for index, variant in enumerate(plan.variants):
            latencies = chosen["service_us"][chosen["variant"] == index]
            if latencies.size:
                name = None if endpoint is None else observations.endpoints[endpoint]
                found.append(_distribution(name, variant.name, latencies))
    return found


def _distribution(endpoint: str | None, variant: str, latencies: IntArray) -> Distribution:
    top = 1 - 1 / latencies.size
    grid = sorted({q for q in _GRID if q <= top} | {0.0})
    return Distribution(
        endpoint=endpoint,
        variant=variant,
        count=int(latencies.size),
        mean_us=float(latencies.mean()),
        quantiles=[(round(q, 6), us) for q, us in zip(grid, quantiles(latencies, grid), strict=True)],
    )


def outcomes(observations: Observations, plan: Plan) -> list[OutcomeCount]:
    """Return how many requests of each endpoint and variant ended how."""
    counts: dict[tuple[int, int, int], int] = {}
    for measured in observations.generations:
        keys = np.stack(
            [measured.rows[name].astype(np.int64) for name in ("step", "variant", "outcome")], axis=1
        )
        for key, count in zip(*np.unique(keys, axis=0, return_counts=True), strict=True):
            place = (int(key[0]), int(key[1]), int(key[2]))
            counts[place] = counts.get(place, 0) + int(count)
    return [
        OutcomeCount(
            endpoint=observations.endpoints[step],
            variant=plan.variants[variant].name,
            outcome=Outcome(outcome).label,
            count=count,
        )
        for (step, variant, outcome), count in sorted(counts.items())
    ]


def generation_infos(observations: Observations, plan: Plan) -> list[GenerationInfo]:
    """Return each generation with the levels and effects of the gating metrics."""
    names = [variant.name for variant in plan.variants]
    tables = {name: levels(observations, BY_NAME[name], None) for name in plan.gating if name in BY_NAME}
    positions = start_positions(plan, observations.count)
    found = []
    for index, measured in enumerate(observations.generations):
        effects, own = {}, {}
        for name, table in tables.items():
            d, _ = contrasts(table[index : index + 1], positions[index : index + 1], log=BY_NAME[name].ratio)
            if math.isfinite(d[0, 0]):
                effects[name] = float(d[0, 0])
                own[name] = dict(zip(names, map(float, table[index]), strict=True))
        planned = plan.generations[index]
        found.append(
            GenerationInfo(
                index=measured.line.index,
                start_order=[names[variant] for variant in planned.start_order],
                slots=dict(zip(names, planned.slots, strict=True)),
                pairs=measured.line.pairs,
                duration_s=measured.line.duration_s,
                effects=effects,
                levels=own,
                steal=measured.line.steal,
                generator_cpu=measured.line.generator_cpu_s / max(measured.line.duration_s, 1e-9),
                plan_fingerprints=dict(zip(names, measured.line.plan_fingerprints, strict=False)),
                ended_at=measured.line.ended_at,
                memory_bytes={
                    name: cpu.memory_bytes
                    for name, cpu in zip(names, measured.line.cpu, strict=True)
                    if cpu.memory_bytes is not None
                },
            )
        )
    return found


def sequence(observations: Observations) -> Sequence | None:
    """Return the hashes of what each user sent in the first generation, or None without one."""
    if not observations.generations:
        return None
    users = []
    for user in observations.generations[0].line.users:
        reached = [int(count) for count in user.checkpoints if int(count) <= SEQUENCE_PREFIX]
        prefix = max(reached, default=0)
        users.append(
            UserSequence(
                user=user.user,
                steps=user.steps,
                prefix_steps=prefix,
                hash=user.checkpoints.get(str(prefix), ""),
                checkpoints=user.checkpoints,
            )
        )
    text = ",".join(f"{user.user}:{user.prefix_steps}:{user.hash}" for user in users)
    return Sequence(hash=hashlib.sha256(text.encode()).hexdigest()[:16], users=users)
