"""Measuring a machine's noise floor: a small server, compared with itself by the pair lane."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import loadstone
from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.lanes.conductor import Options, conduct
from loadstone.lanes.design import SHORTEST_S, Noise, Setting, seconds_needed
from loadstone.lanes.health import busy_share
from loadstone.lanes.posts import choose_setting, noise_of
from loadstone.lanes.view import View
from loadstone.record.machine import describe_machine
from loadstone.record.noise import NoiseProfile
from loadstone.record.result import Check, CheckStatus
from loadstone.stats import sequential
from loadstone.verdict.assemble import Sealed, read_sealed
from loadstone.verdict.floor import Floor, measure_floor

PACKAGE = Path(loadstone.__file__).parent
SERVER = PACKAGE / "target" / "reference_server.py"
SCENARIO = PACKAGE / "workload" / "reference_scenario.py"
TITLE = "a small server, compared with itself"
EXPECTED = Noise(turnover_s=1.2, request_s=0.005, source="")
"""Of the reference server; what the probe sees of it takes the place of this."""
GENERATION_S = 2.5
"""Long enough for some 150 pairs; the shorter, the more starts are seen."""
NEVER = 1e-4
"""Margin and false-alarm rate with which no look ends the measurement early."""
EFFECTS = (0.0025, 0.005, 0.01, 0.02, 0.05)
"""Changes of the mean latency that `outlook` tells of."""
REQUESTS_S = (0.002, 0.005, 0.010, 0.050)
POWERS = (0.8, 0.95)
MOST_S = 1800.0
"""Nobody waits longer for a verdict."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """When a change is seen."""

    effect: float
    """Relative change of the mean latency."""
    request_s: float
    power: float
    """Share of the runs that have seen it by then."""
    seconds: float | None
    """Of measuring; None: more than `MOST_S`."""


def measure_noise(
    state: Path, seconds: float, view: View, *, seed: int = 1
) -> tuple[NoiseProfile, list[Check]]:
    """Return the profile of this machine, measured for `seconds`, and the checks that did not pass.

    Raises:
        ConfigurationError: the time is too short.
        MeasurementError: it was interrupted, or what was measured tells nothing.
    """
    experiment = _experiment(seconds, seed)
    others_busy = busy_share()
    experiment = replace(experiment, max_generations=_generations(experiment))
    with tempfile.TemporaryDirectory(prefix="loadstone-noise-") as folder:
        options = Options(
            state=state, reports=Path(folder), command="loadstone doctor --noise", noise=EXPECTED
        )
        outcome = conduct(experiment, options, view)
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.error is not None:
            raise outcome.error
        sealed = read_sealed(outcome.folder)
    checks = [_told(check) for check in outcome.result.checks if check.status is not CheckStatus.OK]
    failed = [check for check in checks if check.status is CheckStatus.FAIL]
    if failed:
        raise MeasurementError(
            "the noise of this machine could not be measured",
            cause="; ".join(f"{check.name}: {check.message}" for check in failed),
            remedy=failed[0].remedy,
        )
    return _profile(sealed, measure_floor(sealed), others_busy), checks


def _told(check: Check) -> Check:
    """Return a check whose remedy names our option for what `compare` calls its budget."""
    return msgspec.structs.replace(check, remedy=check.remedy.replace("a larger --budget", "a longer --for"))


def outlook(
    profile: NoiseProfile, alpha: float, gating: tuple[str, ...], requests_s: Sequence[float]
) -> list[Outlook]:
    """Return how long it takes to see each of `EFFECTS`, by effect, request time and power.

    Args:
        profile: of this machine.
        alpha: false-alarm rate of the whole gate.
        gating: metrics that it is divided among; empty: those of the table.
        requests_s: service times of the targets to come.
    """
    experiment = replace(_experiment(1.0), alpha=alpha, gating=gating)
    return [
        Outlook(effect=effect, request_s=request_s, power=power, seconds=needed)
        for effect in EFFECTS
        for request_s in requests_s
        for power in POWERS
        for setting in [Setting(tracks=profile.tracks, noise=noise_of(profile), request_s=request_s)]
        for needed in [seconds_needed(experiment, setting, effect, power, MOST_S)]
    ]


def _experiment(seconds: float, seed: int = 1) -> Experiment:
    recipe = Recipe(prepare=(), size="none", seed=1)
    before = Variant(
        name="before",
        label="the reference server",
        argv=("{python}", "-S", "-P", str(SERVER), "{port}"),
        directory=PACKAGE,
        env={},
        recipe=recipe,
        health_path="/health",
        python=Path(sys.executable),
        needs_postgres=False,
        needs_redis=False,
    )
    return Experiment(
        title=TITLE,
        scenario=SCENARIO,
        variants=(before, replace(before, name="after")),
        size=recipe.size,
        seed=seed,
        margin=NEVER,
        alpha=NEVER,
        budget_s=seconds,
        gating=("latency_mean",),
    )


def _generations(experiment: Experiment) -> int:
    """Return how many generations fit, an even number; raises `ConfigurationError` where they are too few."""
    tracks = choose_setting(experiment, external=False).tracks
    total_s = experiment.budget_s * tracks
    least_s = sequential.FIRST_LOOK * (EXPECTED.turnover_s + SHORTEST_S)
    if total_s < least_s:
        raise ConfigurationError(
            f"{format_duration(experiment.budget_s)} are too short to tell the noise of this machine",
            cause=f"it takes at least {sequential.FIRST_LOOK} generations, {tracks} at a time",
            remedy=f"allow {format_duration(least_s / tracks + 1)} or more with --for",
        )
    count = int(total_s / (EXPECTED.turnover_s + GENERATION_S))
    return min(max(count - count % 2, sequential.FIRST_LOOK), sequential.LAST_LOOK)


def _profile(sealed: Sealed, floor: Floor, others_busy: float) -> NoiseProfile:
    return NoiseProfile(
        fingerprint=describe_machine().fingerprint,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        loadstone_version=loadstone.__version__,
        tracks=sealed.plan.tracks,
        pinned=sealed.plan.pinned,
        generations=floor.generations,
        generation_s=sealed.plan.generation_s,
        pairs=floor.pairs,
        request_s=floor.request_s,
        pair_sd=floor.pair_sd,
        start_sd=floor.start.sd,
        start_sd_low=floor.start.low,
        start_sd_high=floor.start.high,
        start_sd_moment=floor.start.moment,
        turnover_s=floor.turnover_s,
        pair_overhead_s=floor.pair_overhead_s,
        pace_explained=floor.pace_explained,
        steal=floor.steal,
        others_busy=others_busy,
    )
