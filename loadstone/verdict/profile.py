"""The profile of a run, from its sealed stacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadstone.explain.stacks import Stacks, by_function, merged, read_folded
from loadstone.record.journal import ProfileLine, read_stacks
from loadstone.record.profiled import FunctionSamples, Profile, ProfileSide

MOST_BY_OWN = 60
MOST_BY_CHANGE = 60


def read_profile(folder: Path, lines: Sequence[ProfileLine]) -> Profile | None:
    """Return what the last of `lines` says; raises `MeasurementError` where the stacks are damaged."""
    if not lines:
        return None
    line = lines[-1]
    return make_profile(line, [read_folded(read_stacks(folder, side)) for side in line.sides])


def make_profile(line: ProfileLine, stacks: Sequence[Stacks]) -> Profile:
    """Return what the stacks of each side say, by the sides of `line`."""
    rows = merged(stacks)
    frames = sorted({frame for _, frame, _ in rows})
    number = {frame: index for index, frame in enumerate(frames)}
    sides = [
        ProfileSide(
            variant=side.variant,
            samples=own.total(),
            cpu_us_per_request=round(side.cpu_s / line.requests * 1e6, 1) if line.requests else 0.0,
            unavailable=side.unavailable or ("" if own else "no sample found it running"),
        )
        for side, own in zip(line.sides, stacks, strict=True)
    ]
    return Profile(
        requests=line.requests,
        seconds=line.seconds,
        rate_hz=line.rate_hz,
        sides=sides,
        functions=_important(by_function(stacks), sides),
        frames=frames,
        tree=[(depth, number[frame], samples) for depth, frame, samples in rows],
    )


def _important(
    found: dict[str, tuple[list[int], list[int]]], sides: Sequence[ProfileSide]
) -> list[FunctionSamples]:
    """Return the functions that cost most themselves, or whose cost with all they call differs most."""
    scales = [one.cpu_us_per_request / one.samples if one.samples else 0.0 for one in sides]

    def costs(samples: list[int]) -> list[float]:
        return [count * scale for count, scale in zip(samples, scales, strict=True)]

    own = {name: max(costs(counts)) for name, (counts, _) in found.items()}
    change = {name: max(told := costs(total)) - min(told) for name, (_, total) in found.items()}
    chosen = {*_largest(own, MOST_BY_OWN), *_largest(change, MOST_BY_CHANGE)}
    return [
        FunctionSamples(function=name, own=found[name][0], total=found[name][1])
        for name in sorted(chosen, key=lambda name: (-own[name], name))
    ]


def _largest(values: dict[str, float], most: int) -> list[str]:
    return sorted(values, key=lambda name: (-values[name], name))[:most]
