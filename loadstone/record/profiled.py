"""Where the servers' CPU time went, function by function, as it stands in a result."""

from __future__ import annotations

import msgspec

from loadstone.record.base import Record


class SampledSide(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One variant in the profile's block, as the journal keeps it."""

    variant: str
    chunk: str = ""
    """SHA-256 of its folded stacks; empty where there are none."""
    cpu_s: float = 0.0
    """That its server and companions used in the block, by the kernel's clocks."""
    unavailable: str = ""
    """Why there are no stacks."""


class ProfileSide(Record, frozen=True, kw_only=True):
    """One variant's stacks."""

    variant: str
    samples: int
    """That hit a running thread of its server or companions."""
    cpu_us_per_request: float
    """That server and companions used in the block, by the kernel's clocks; a function's share of the
    samples is its share of this."""
    unavailable: str = ""
    """Why there are no samples."""


class FunctionSamples(Record, frozen=True, kw_only=True):
    """One function, with the samples of each side in the order of `Profile.sides`."""

    function: str
    own: list[int]
    """That found it running."""
    total: list[int]
    """That found it, or what it called, running."""


class Profile(Record, frozen=True, kw_only=True):
    """Sampled stacks of the variants under the same requests, in a block of their own."""

    requests: int
    """Of each variant in the block."""
    seconds: float
    rate_hz: int
    sides: list[ProfileSide]
    """The baseline first; controls are not sampled."""
    functions: list[FunctionSamples] = []
    """Those that cost most or changed most."""
    frames: list[str] = []
    """Names that `tree` refers to."""
    tree: list[tuple[int, int, list[int]]] = []
    """Calls, depth first: (depth, index in `frames`, samples by side). Thin branches are left out."""
