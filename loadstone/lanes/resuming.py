"""May a run go on? Only with the same plan, on the same machine."""

from __future__ import annotations

import msgspec

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.lanes.design import UNSTARTED, Noise, Setting
from loadstone.record.journal import GenerationLine, read_chunk, read_spikes
from loadstone.record.kept import Kept, damaged
from loadstone.record.observations import Rows
from loadstone.record.plan import Plan
from loadstone.verdict.spikes import charged

CHOSEN = (
    "loadstone_version",
    "scenario",
    "scenario_sha256",
    "size",
    "state",
    "users",
    "seed",
    "margin",
    "alpha",
    "budget_s",
    "gap_share",
    "gating",
    "variants",
    "in_flight",
    "steady",
    "fail_on",
    "lanes",
    "stopping",
    "profile_s",
)
"""What the command, the configuration and the code decide; the rest of a plan follows from the machine."""


def kept_setting(plan: Plan) -> Setting:
    """Return the setting by which a plan places its tracks."""
    noise = UNSTARTED if plan.deployed else Noise()
    return Setting(tracks=plan.tracks, pinned=plan.pinned, pace=plan.pace, noise=noise)


def require_same(kept: Kept, again: Plan, machine: str) -> None:
    """Check that what would go on is what was begun.

    Args:
        kept: the run that was cut short.
        again: the plan that its command makes now.
        machine: fingerprint of this machine.

    Raises:
        ConfigurationError: something differs.
    """
    if kept.machine and kept.machine != machine:
        raise ConfigurationError(
            f"{kept.folder.name} was begun on another machine",
            cause=f"its fingerprint is {kept.machine}, this one's {machine}",
            remedy=f"go on there, or start anew here: {kept.plan.command}",
        )
    for name in CHOSEN:
        before, after = getattr(kept.plan, name), getattr(again, name)
        if before != after:
            raise ConfigurationError(
                f"{kept.folder.name} cannot go on: {name.replace('_', ' ')} is another one now",
                cause=f"{_told(before)} then, {_told(after)} now",
                remedy=f"restore it, or start anew: {kept.plan.command}",
            )


def _told(value: object) -> str:
    return msgspec.json.encode(value).decode()


def sealed_rows(kept: Kept) -> list[tuple[GenerationLine, Rows]]:
    """Return what is measured, as the pair lane holds it; raises `ConfigurationError` where it is damaged."""
    share = kept.plan.spike_share
    try:
        return [
            charged(line, read_chunk(kept.folder, line.chunk), read_spikes(kept.folder, line), share)
            for line in kept.generations
        ]
    except MeasurementError as error:
        raise damaged(kept.folder, error, kept.plan.command) from error
