"""Randomness as a function of what it is for, never of what was drawn before.

The parts are (seed, lane, generation, slot, user, purpose), or as many of them
as matter. The bytes come from hash functions, so they are the same on every
machine and with every version of Python and numpy.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
from numpy.typing import NDArray

Part = int | str


def stream_seed(*parts: Part) -> int:
    """Return a seed of 64 bits, a function of `parts`; `1` and `"1"` are different parts."""
    return int.from_bytes(hashlib.blake2b(_encode(parts), digest_size=8).digest(), "big")


def stream(*parts: Part) -> random.Random:
    """Return a private generator seeded from `parts`."""
    return random.Random(stream_seed(*parts))  # noqa: S311 - reproducible on purpose, guards nothing


def random_bits(count: int, *parts: Part) -> NDArray[np.bool_]:
    """Return `count` independent fair bits [count], such as the order within each pair.

    A longer array begins with the shorter one of the same parts.
    """
    data = hashlib.shake_256(_encode(parts)).digest((count + 7) // 8)
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count).astype(np.bool_)


def random_share(count: int, share: float, *parts: Part) -> NDArray[np.bool_]:
    """Return marks [count], each true with probability `share` on its own (to 2^-32)."""
    data = hashlib.shake_256(_encode(parts)).digest(4 * count)
    return np.frombuffer(data, dtype=">u4") < share * 2.0**32


def _encode(parts: tuple[Part, ...]) -> bytes:
    """Join parts so that no two different tuples give the same bytes."""
    texts = [(f"i{part}" if isinstance(part, int) else f"s{part}").encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)
