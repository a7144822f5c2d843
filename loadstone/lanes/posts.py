"""Where generations are measured: how many tracks, on which cores, and what each has of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

from loadstone.config.model import Experiment
from loadstone.lanes.design import PAIR_OVERHEAD_S, SETTLE_S, UNSTARTED, WARM_S, Noise, Setting
from loadstone.lanes.health import LOUD_NOISE
from loadstone.lanes.pair import Post
from loadstone.lanes.probe import ProbeLane
from loadstone.record.machine import memory_bytes
from loadstone.record.noise import NoiseProfile
from loadstone.secrecy import scrub, telling_values
from loadstone.target.cores import MOST_TRACKS, Track, allot, physical_cores, usable_cores
from loadstone.target.stage import Stage
from loadstone.workload import pace
from loadstone.workload.remote import Generator, start_generator

GENERATOR_LOG = "generator.log"
VARIANT_BYTES = 2**29
"""Memory that the servers and services of one variant may need."""


def choose_setting(experiment: Experiment, *, external: bool, profile: NoiseProfile | None = None) -> Setting:
    """Return how many tracks this machine has room for, whether they are bound to cores, and its noise.

    One track for deployments, where services are shared with others, or where several
    pairs are in flight: these want to spread over the cores. `profile` is this
    machine's, if it was measured; it holds for tracks that are bound as those were that
    it comes from.
    """
    if "pair" not in experiment.lanes:
        return Setting()
    if experiment.deployed:
        return Setting(noise=UNSTARTED)
    alone = external or experiment.in_flight > 1
    cores = usable_cores()
    pinned = experiment.pinned and experiment.in_flight == 1
    room = min(
        MOST_TRACKS, physical_cores(), max(1, memory_bytes() // (VARIANT_BYTES * len(experiment.variants)))
    )
    tracks = 1 if alone else experiment.tracks or (room if pinned else 1)
    pinned = pinned and len(cores) >= tracks
    fits = profile is not None and profile.pinned == pinned and experiment.in_flight == 1
    noise = noise_of(profile) if profile is not None and fits else Noise()
    return Setting(tracks=tracks, pinned=pinned, pace=pinned, noise=noise)


def noise_of(profile: NoiseProfile) -> Noise:
    """Return what to plan for on a machine that was measured.

    How long requests take, and starting over, is the target's to tell, not the machine's.
    """
    return Noise(
        pair_sd=profile.pair_sd,
        start_sd=profile.start_sd,
        pair_overhead_s=max(profile.pair_overhead_s, PAIR_OVERHEAD_S),
        source=f"measured {profile.date}{_beside(profile)}",
    )


def _beside(profile: NoiseProfile) -> str:
    """Say what makes a profile doubtful."""
    busy = profile.others_busy
    return f" while others used {busy:.0%} of the CPU" if busy > LOUD_NOISE else ""


def probed(setting: Setting, probing: ProbeLane) -> Setting:
    """Return the setting with what the probe saw of the target: its service time, and its turnover."""
    times = [one for one in probing.service_us if one > 0]
    return replace(
        setting,
        request_s=statistics.mean(times) / 1e6 if times else None,
        turnover_s=probing.turnover_s + WARM_S + SETTLE_S,
    )


def open_posts(stack: ExitStack, setting: Setting, stage: Stage, folder: Path, scenario: Path) -> list[Post]:
    """Start a generator, and a sampler of the core's pace, for each track; `stack` ends them."""
    posts = []
    stack.callback(scrub, folder / GENERATOR_LOG, telling_values(os.environ))
    for track in allot(usable_cores(), setting.tracks, pinned=setting.pinned):
        generator = stack.enter_context(open_generator(stage, track, folder))
        generator.load(scenario)
        posts.append(Post(track, generator, _open_sampler(stage, track, folder) if setting.pace else ""))
    return posts


def open_generator(stage: Stage, track: Track, folder: Path) -> AbstractContextManager[Generator]:
    """Start a generator where a track's belongs; the context's end ends it."""

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        child = stage.supervisor.start(
            "load generator",
            argv,
            log=folder / GENERATOR_LOG,
            cwd=Path.cwd(),
            env=dict(os.environ),
            cores=track.generator_cores,
        )
        return child.process

    return start_generator(spawn, sys.executable, stage.token)


def _open_sampler(stage: Stage, track: Track, folder: Path) -> str:
    """Start the sampler on the core where the track's servers run, and return its shared file."""
    path = stage.home / f"pace-{track.number}"
    pace.make_file(path)
    stage.supervisor.start(
        "pace sampler",
        [sys.executable, "-m", "loadstone.workload.pace", str(path)],
        log=folder / GENERATOR_LOG,
        cwd=Path.cwd(),
        env=dict(os.environ),
        cores=track.cores,
    )
    return str(path)
