"""How the methods of versus.py measure: each scheme yields units, from two identical variants of a real app.

`restarts`: a fresh start of one side, measured for a block, then a fresh start of the
other. Before-then-after, asv's rounds, interleaved restarts and thresholds are all
decisions over such units. `duet`: both sides at once, each with its load on a core of
its own. `loadstone`: a run of the shipped command, down to its generations' contrasts.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from driver import RECORD
from numpy.typing import NDArray

from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.load import Project, load_project
from loadstone.config.model import Variant
from loadstone.stats.estimators import capped_mean, pooled_cap, quantile
from loadstone.stats.inference import contrasts
from loadstone.target import cpu
from loadstone.target.stage import Generation, Running, Stage
from loadstone.verdict.assemble import read_sealed
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import levels
from loadstone.verdict.metrics import BY_NAME

ROUNDS = 10
"""Of a block: benchstat asks for ten."""
WARM_S = 1.0
START_S = 3.0
"""What a start costs beside its block, roughly: for the forecast alone."""
DRIVER = Path(__file__).with_name("driver.py")
REPORTS = Path(__file__).parents[2] / "reports"
SMALLEST_MARGIN = "0.01%"
"""So small that no run ends early by being equivalent: its generations are then no choice of the data."""
Records = NDArray[np.void]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """The app that is measured against itself."""

    config: Path
    choice: str
    paths: tuple[str, ...]


@dataclass
class Ground:
    """Where units are measured; services are started when needed and stopped before `loadstone` runs."""

    subject: Subject
    project: Project = field(init=False)
    variants: Sequence[Variant] = field(init=False)
    _open: ExitStack = field(default_factory=ExitStack)
    _stage: Stage | None = None

    def __post_init__(self) -> None:
        self.project = load_project(self.subject.config.resolve())
        wish = Wish(before=self.subject.choice, after=self.subject.choice, allow_identical=True)
        self.variants = compile_experiment(self.project, wish).variants

    def stage(self) -> Stage:
        """Return the stage, prepared."""
        if self._stage is None:
            self._stage = self._open.enter_context(Stage(self.project.state))
            self._stage.prepare(self.variants)
        return self._stage

    def leave(self) -> None:
        """Stop everything."""
        self._stage = None
        self._open.close()


def restarts(ground: Ground, block_s: float, seed: int) -> Row:
    """Measure one side after the other, each freshly started, for `block_s` seconds."""
    stage, measured = ground.stage(), []
    begin = time.monotonic()
    for position, variant in enumerate(ground.variants):
        at = time.monotonic() - begin
        with stage.generation([(variant, position)]) as running:
            up = time.monotonic() - begin - at
            child = _drive(ground.subject, running[0], block_s, seed)
            measured.append((at, up, _records(child)))
    return _row("restarts", block_s, time.monotonic() - begin, measured)


def duet(ground: Ground, block_s: float, seed: int) -> Row:
    """Measure both sides at once, each with its servers and its load on a core of its own.

    Bulej et al. (2020), "Duet benchmarking": parallel, begun together; which side gets
    which core is drawn anew for each unit.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    random.Random(seed).shuffle(cores)
    stage, begin = ground.stage(), time.monotonic()
    with stage.generation([(variant, slot) for slot, variant in enumerate(ground.variants)]) as running:
        up = time.monotonic() - begin
        _pin(running, cores)
        at = time.monotonic() + WARM_S + 1.0
        children = [
            _drive(ground.subject, one, block_s, seed, core=core, begin_at=at)
            for one, core in zip(running, cores, strict=True)
        ]
        measured = [(0.0, up, _records(child)) for child in children]
    return {**_row("duet", block_s, time.monotonic() - begin, measured), "cores": cores}


def loadstone(ground: Ground, budget: str, seed: int) -> Row:
    """Run the shipped command on two identical variants; return its generations' contrasts.

    Raises:
        RuntimeError: the run did not end well.
    """
    ground.leave()
    subject, begin = ground.subject, time.monotonic()
    words = [subject.choice, subject.choice, "--allow-identical", "--config", str(subject.config.resolve())]
    words += ["--budget", budget, "--seed", str(seed), "--margin", SMALLEST_MARGIN]
    words += ["--json", "-", "--quiet", "--reports", str(REPORTS)]
    command = [sys.executable, "-m", "loadstone", "compare", *words]
    ran = subprocess.run(command, check=False, capture_output=True)
    seconds = time.monotonic() - begin
    if not ran.stdout:
        raise RuntimeError(f"loadstone ended with {ran.returncode}: {ran.stderr.decode()[-500:]}")
    result = json.loads(ran.stdout)
    sealed = read_sealed(REPORTS / result["run"]["id"])
    positions = start_positions(sealed.plan, sealed.observations.count)
    d, s = contrasts(levels(sealed.observations, BY_NAME["latency_mean"], None), positions)
    return {
        "scheme": "loadstone",
        "budget": budget,
        "seed": seed,
        "duration_s": seconds,
        "status": result["run"]["status"],
        "run": result["run"]["id"],
        "alpha": sealed.plan.alpha,
        "gating": list(sealed.plan.gating),
        "detected": [one["metric"] for one in result["contrasts"] if one["gating"] and one["detected"]],
        "d": d[:, 0].tolist(),
        "s": s[:, 0].tolist(),
    }


def _drive(
    subject: Subject,
    running: Running,
    block_s: float,
    seed: int,
    *,
    core: int | None = None,
    begin_at: float | None = None,
) -> subprocess.Popen[bytes]:
    """Start the load on one side; both sides get the same requests in the same order."""
    words = [running.base_url.removeprefix("http://"), "--seconds", str(block_s)]
    words += ["--warm", str(WARM_S), "--seed", str(seed)]
    words += [word for path in subject.paths for word in ("--path", path)]
    words += [] if core is None else ["--core", str(core)]
    words += [] if begin_at is None else ["--begin-at", str(begin_at)]
    return subprocess.Popen([sys.executable, str(DRIVER), *words], stdout=subprocess.PIPE)


def _records(child: subprocess.Popen[bytes]) -> Records:
    """Wait for a load's end; raises RuntimeError when it failed."""
    output, _ = child.communicate()
    records: Records = np.frombuffer(output, dtype=RECORD)
    if child.returncode != 0 or not records.size:
        raise RuntimeError(f"the load ended with {child.returncode} after {records.size} requests")
    return records


def _row(scheme: str, block_s: float, duration_s: float, measured: list[tuple[float, float, Records]]) -> Row:
    """Return a unit: each side's rounds, capped at the p99 of both sides together."""
    cap = pooled_cap([records["latency_us"] for _, _, records in measured])
    sides = [{"at_s": at, "start_s": up, **_side(records, cap, block_s)} for at, up, records in measured]
    return {"scheme": scheme, "block_s": block_s, "duration_s": duration_s, "cap_us": cap, "sides": sides}


def _side(records: Records, cap_us: float, block_s: float) -> Row:
    """Return one side's estimates, of the block and of each of its rounds."""
    latency = records["latency_us"]
    place = np.minimum(records["began_us"] * ROUNDS // int(block_s * 1e6), ROUNDS - 1)
    rounds = [latency[place == number] for number in range(ROUNDS)]
    return {
        "requests": int(latency.size),
        "capped_mean_us": capped_mean(latency, cap_us),
        "p50_us": quantile(latency, 0.5),
        "rounds_us": [round(capped_mean(one, cap_us), 2) for one in rounds],
        "round_p50_us": [round(quantile(one, 0.5), 1) for one in rounds],
    }


def _pin(generation: Generation, cores: list[int]) -> None:
    """Keep each side's processes, with all their threads, on the side's core."""
    for one, core in zip(generation, cores, strict=True):
        for child in one.children():
            for pid in cpu.tree(child.pid):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    with suppress(ProcessLookupError):
                        os.sched_setaffinity(int(thread.name), {core})
