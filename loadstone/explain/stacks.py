"""Sampled stacks: read as samplers write them, merged over several sides, and cut down to what can be seen.

The folded form is one line a stack, the outermost frame first: `a;b;c 12`
(Gregg, *The Flame Graph*, Communications of the ACM 59(6), 2016).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Stack = tuple[str, ...]
Stacks = Counter[Stack]
Row = tuple[int, str, list[int]]
"""Depth, frame, samples by side."""
MOST_DEPTH = 250
"""Frames of one stack that are kept; what lies deeper counts for the last of them."""
MOST_ROWS = 1500
LEAST_SHARE = 0.001
"""Of one side's samples: thinner branches are left out."""
NAME_LENGTH = 200
_PROCESSES = re.compile(r'^(?:process \d+:"(?:[^"]|"(?!;))*";)+')
"""Frames that stand for processes and their commands, which hold ports and folders."""


def read_folded(data: bytes) -> Stacks:
    """Return stacks and how often each was seen; lines that are none are passed over."""
    stacks: Stacks = Counter()
    for line in data.decode(errors="replace").splitlines():
        text, _, count = _PROCESSES.sub("", line).rpartition(" ")
        if text and count.isdecimal():
            stacks[tuple(frame[:NAME_LENGTH] for frame in text.split(";")[:MOST_DEPTH])] += int(count)
    return stacks


@dataclass(slots=True)
class _Call:
    samples: list[int]
    calls: dict[str, _Call] = field(default_factory=dict)


def merged(sides: Sequence[Stacks]) -> list[Row]:
    """Return the calls of all sides as one tree, depth first, siblings by name, at most `MOST_ROWS`."""
    root = _Call([0] * len(sides))
    for side, stacks in enumerate(sides):
        for stack, count in stacks.items():
            call = root
            for frame in stack:
                call = call.calls.setdefault(frame, _Call([0] * len(sides)))
                call.samples[side] += count
    whole, share = [stacks.total() for stacks in sides], LEAST_SHARE
    while True:
        least = [max(1.0, share * one) for one in whole]
        rows = list(_walk(root, least))
        if len(rows) <= MOST_ROWS:
            return rows
        share *= 1.5


def _walk(root: _Call, least: Sequence[float]) -> Iterator[Row]:
    """Yield the calls of which some side has as many samples as `least` says."""
    waiting = [(0, name, call) for name, call in sorted(root.calls.items(), reverse=True)]
    while waiting:
        depth, name, call = waiting.pop()
        if all(count < enough for count, enough in zip(call.samples, least, strict=True)):
            continue
        yield depth, name, call.samples
        waiting += [(depth + 1, each, below) for each, below in sorted(call.calls.items(), reverse=True)]


def by_function(sides: Sequence[Stacks]) -> dict[str, tuple[list[int], list[int]]]:
    """Return for each function how many samples of each side found it running, and it or what it called."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for side, stacks in enumerate(sides):
        for stack, count in stacks.items():
            for frame in set(stack):  # a function that calls itself counts once
                found.setdefault(frame, ([0] * len(sides), [0] * len(sides)))[1][side] += count
            found[stack[-1]][0][side] += count
    return found
