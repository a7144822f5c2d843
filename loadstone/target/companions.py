"""Processes that run beside a variant's server: started with it, watched with it, stopped with it.

They are given the services themselves, also where the server's own way leads through
a tap: what the tap counts is what requests do. They run on the server's cores, and
their CPU is counted apart from the server's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from loadstone.config.model import Companion, Variant
from loadstone.errors import TargetError
from loadstone.target import folders, placeholders
from loadstone.target.children import Child
from loadstone.target.placeholders import Place
from loadstone.target.processes import Supervisor

POLL_S = 0.02


def start(
    supervisor: Supervisor, variant: Variant, place: Place, folder: Path, extra: Mapping[str, str]
) -> list[Child]:
    """Start a variant's companions without waiting for them.

    Args:
        supervisor: owns them.
        variant: whose companions and environment these are.
        place: the server's port, and the URLs of the services themselves.
        folder: gets a scratch folder and a log for each.
        extra: environment beneath the variant's, as the server's.
    """
    return [_start(supervisor, variant, each, place, folder, extra) for each in variant.companions]


def _start(
    supervisor: Supervisor,
    variant: Variant,
    companion: Companion,
    place: Place,
    folder: Path,
    extra: Mapping[str, str],
) -> Child:
    own = replace(place, folder=folders.private_folder(folder / f"companion-{companion.name}"))
    return supervisor.start(
        name_of(companion, variant),
        placeholders.command(companion.argv, variant, own),
        log=folder / f"companion-{companion.name}.log",
        cwd=variant.directory,
        env=placeholders.environment(variant, own, {**os.environ, **extra}),
    )


def name_of(companion: Companion, variant: Variant) -> str:
    """Return what messages call it."""
    return f"the {companion.name} of {variant.label}"


def await_ready(children: list[Child], variant: Variant, *, started: float) -> None:
    """Wait until each has written that it is ready; raises TargetError with its log's tail.

    Args:
        children: of `start`.
        variant: whose they are.
        started: `time.monotonic()` of the start, from which the variant's timeout counts.
    """
    for companion, child in zip(variant.companions, children, strict=True):
        deadline = started + variant.start_timeout_s
        while not _is_ready(companion, child):
            if not child.alive():
                raise _failure(
                    companion, child, variant, f"{child.name} {child.ending()} before it was ready"
                )
            if time.monotonic() >= deadline:
                late = f"{child.name} was not ready within {variant.start_timeout_s:g} s"
                raise _failure(companion, child, variant, late)
            time.sleep(POLL_S)


def _is_ready(companion: Companion, child: Child) -> bool:
    if not companion.ready:
        return True
    try:
        return companion.ready.encode() in child.log.read_bytes()
    except OSError:
        return False


def _failure(companion: Companion, child: Child, variant: Variant, problem: str) -> TargetError:
    waited = f", and that it writes {companion.ready!r}" if companion.ready else ""
    return TargetError(
        problem,
        cause=child.log_tail() or "it wrote nothing",
        remedy=f"check the command of target.companions.{companion.name} "
        f"(`{' '.join(companion.argv)}`, in {variant.directory}){waited}",
    )
