"""The profile: the variants once more after the last generation, their stacks sampled under load.

Nothing of it is timed, and no verdict uses it: a sampler stops what it looks at.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadstone.config.model import Experiment, Variant
from loadstone.errors import LoadstoneError
from loadstone.explain.stacks import read_folded
from loadstone.lanes.design import WARM_PAIRS
from loadstone.lanes.pair import MOST_PAIRS
from loadstone.lanes.posts import open_generator
from loadstone.record.journal import Journal, ProfileLine
from loadstone.record.plan import Plan
from loadstone.record.profiled import SampledSide
from loadstone.target.children import Child
from loadstone.target.cores import Track, usable_cores
from loadstone.target.cpu import tree_seconds
from loadstone.target.processes import outliving_children
from loadstone.target.stage import Running, Stage
from loadstone.workload.protocol import RunPairs, Side

SAMPLER = "py-spy"
LOG = "profile.log"
RATE_HZ = 400
WRITING_S = 5.0
"""What a sampler may take to write what it has."""
FORBIDDEN = "its memory may not be read: that takes CAP_SYS_PTRACE, or kernel.yama.ptrace_scope=0"
REASONS = {
    "permission denied": FORBIDDEN,
    "operation not permitted": FORBIDDEN,
    "no python processes found": "none of its processes runs Python",
    "failed to find python version": "none of its processes runs Python",
    "no stack counts found": "no sample found it running",
}
"""What samplers say when they cannot, in words that help."""


@dataclass(frozen=True)
class _Sampler:
    """One sampler at work on one process and its descendants."""

    variant: str
    child: Child
    output: Path


@dataclass
class ProfileLane:
    """Samples the stacks of one experiment's variants, controls left out."""

    experiment: Experiment
    plan: Plan
    stage: Stage
    track: Track
    """Where all of it runs, with a generator of its own: those of tracks that were cut short have hung up."""
    journal: Journal
    folder: Path
    refill: bool
    """Whether the scenario writes, so that it needs unchanged data."""
    _samplers: list[_Sampler] = field(default_factory=list)
    _failed: dict[str, str] = field(default_factory=dict)
    """Why a variant cannot be sampled, by its name."""
    _cpu_s: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Sample and seal the stacks; what cannot be had is told in the journal, and is no fault."""
        requests, seconds = 0, 0.0
        try:
            with outliving_children(self.track.cores):
                requests, seconds = self._sample()
        except (LoadstoneError, OSError) as error:
            reason = "; ".join(str(error).splitlines()[:2])
            self._failed |= dict.fromkeys(self._names, reason)
        except KeyboardInterrupt:  # the verdict stands: whoever waits for it has waited long enough
            self._failed |= dict.fromkeys(self._names, "interrupted")
        line = ProfileLine(
            requests=requests,
            seconds=round(seconds, 3),
            rate_hz=RATE_HZ,
            sides=[self._sealed(name) for name in self._names],
        )
        self.journal.append(line)

    @property
    def _variants(self) -> list[Variant]:
        return [self.experiment.variants[index] for index in (0, *self.plan.judged)]

    @property
    def _names(self) -> list[str]:
        return [variant.name for variant in self._variants]

    def _sample(self) -> tuple[int, float]:
        """Return how many requests each variant got, and in how many seconds."""
        cast = [(variant, slot) for slot, variant in enumerate(self._variants)]
        with (
            open_generator(self.stage, self.track, self.folder) as generator,
            self.stage.generation(cast, refill=self.refill) as running,
        ):
            generator.load(self.experiment.scenario)
            ours = [running[name] for name in self._names]
            done = generator.run_pairs(
                self._walk(ours),
                on_ready=lambda: self._begin(ours),
                on_progress=lambda _pairs: running.check(),
                on_measured=lambda: self._end(ours),
            )
        return done.pairs, done.duration_s

    def _walk(self, ours: Sequence[Running]) -> RunPairs:
        return RunPairs(
            sides=[
                Side(
                    variant=one.variant.name,
                    base_url=one.base_url,
                    roots=one.roots(),
                    restless=one.restless(),
                )
                for one in ours
            ],
            users=self.plan.users,
            seed=self.plan.seed,
            generation=self.plan.max_generations,
            health_path=self._variants[0].health_path,
            warm_s=self.plan.warm_s,
            warm_pairs=WARM_PAIRS,
            measure_s=self.plan.profile_s,
            max_pairs=MOST_PAIRS,
            gap_share=0.0,
        )

    def _begin(self, ours: Sequence[Running]) -> None:
        program = find_sampler()
        for one in ours:
            self._cpu_s[one.variant.name] = -_cpu_s(one)
            if program is None:
                self._failed[one.variant.name] = f"{SAMPLER} is not installed"
                continue
            for child in one.own():
                self._samplers.append(self._start(program, one.variant.name, child))

    def _start(self, program: str, variant: str, target: Child) -> _Sampler:
        output = self.stage.home / f"stacks-{target.pid}"
        # threads that hold the GIL are those that run: whether others sleep is not told alike by all kernels
        words = [
            "record",
            "--pid",
            str(target.pid),
            "--subprocesses",
            "--gil",
            "--format",
            "raw",
            "--nolineno",
        ]
        child = self.stage.supervisor.start(
            f"sampler of {variant}",
            [program, *words, "--rate", str(RATE_HZ), "--output", str(output)],
            log=self.folder / LOG,
            cwd=self.folder,
            stop_signal=signal.SIGINT,  # it writes what it has
            cores=usable_cores(),
        )
        return _Sampler(variant, child, output)

    def _end(self, ours: Sequence[Running]) -> None:
        for one in ours:
            self._cpu_s[one.variant.name] += _cpu_s(one)
        self.stage.supervisor.stop(*(one.child for one in self._samplers), grace_s=WRITING_S)

    def _sealed(self, variant: str) -> SampledSide:
        if variant in self._failed:
            return SampledSide(variant=variant, unavailable=self._failed[variant])
        stacks = Counter[tuple[str, ...]]()
        own = [one for one in self._samplers if one.variant == variant]
        for one in own:
            if one.output.is_file():
                stacks += read_folded(one.output.read_bytes())
        if not stacks:
            said = (self.folder / LOG).read_text(errors="replace") if (self.folder / LOG).is_file() else ""
            return SampledSide(variant=variant, cpu_s=self._cpu_s[variant], unavailable=reason_of(said))
        folded = "".join(f"{';'.join(stack)} {count}\n" for stack, count in sorted(stacks.items()))
        return SampledSide(
            variant=variant,
            chunk=self.journal.seal(folded.encode()),
            cpu_s=round(self._cpu_s[variant], 6),
        )


def find_sampler() -> str | None:
    """Return the program that samples stacks: the one beside our Python, or one on the PATH."""
    beside = Path(sys.executable).with_name(SAMPLER)
    return str(beside) if beside.is_file() else shutil.which(SAMPLER)


def reason_of(log: str) -> str:
    """Return in words why a sampler gave nothing, from what it wrote."""
    lowered = log.lower()
    for sign, reason in REASONS.items():
        if sign in lowered:
            return reason
    said = [line for line in log.splitlines() if line.lower().startswith("error")]
    return said[-1].partition(":")[2].strip()[:200] if said else "the sampler gave nothing"


def _cpu_s(running: Running) -> float:
    return sum(tree_seconds(child.pid) for child in running.own())
