"""Which CPU cores a track runs on: one for what is measured, one for the generator where there is a spare."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_TRACKS = 2
"""More generations at once share caches and memory bandwidth, and disturb each other."""
_TOPOLOGY = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Track:
    """A place where generations are measured, one after the other; empty cores: wherever the system likes."""

    number: int
    cores: tuple[int, ...] = ()
    """Of servers, databases and caches."""
    generator_cores: tuple[int, ...] = ()


def usable_cores(topology: Path = _TOPOLOGY) -> list[int]:
    """Return the cores we may use, one of each physical core first."""
    cores = sorted(os.sched_getaffinity(0))
    seen: set[str] = set()
    first: list[int] = []
    for core in cores:
        siblings = _siblings(topology, core)
        if siblings not in seen:
            seen.add(siblings)
            first.append(core)
    return first + [core for core in cores if core not in first]


def physical_cores(topology: Path = _TOPOLOGY) -> int:
    """Return how many physical cores we may use."""
    return len({_siblings(topology, core) for core in os.sched_getaffinity(0)})


def allot(cores: Sequence[int], tracks: int, *, pinned: bool) -> list[Track]:
    """Return `tracks` tracks with cores of their own, or unbound where they would have to share."""
    if not pinned or len(cores) < tracks:
        return [Track(number) for number in range(tracks)]
    spare = cores[tracks : 2 * tracks] if len(cores) >= 2 * tracks else cores[:tracks]
    return [Track(number, (cores[number],), (spare[number],)) for number in range(tracks)]


def _siblings(topology: Path, core: int) -> str:
    try:
        return (topology / f"cpu{core}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(core)
