"""Randomness as a function of what it is for, never of what was drawn before.

The parts are (seed, lane, generation, slot, user, purpose), or as many of them
as matter. The bytes come from hash functions, so they are the same on every
machine and with every version of Python and numpy.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

Part = int | str
_MASK = 2**64 - 1
_GOLDEN, _ODD = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95


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


class QuickRandom(random.Random):
    """SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, fig. 16): seeded in a tenth of the default's time.

    For streams that are seeded anew for every piece of work, of which they draw a few numbers.
    """

    def seed(self, a: Any = None, version: int = 2) -> None:  # noqa: ANN401 - as in the base class
        """Begin the stream that belongs to `a`."""
        del version
        self._state = a & _MASK if isinstance(a, int) else stream_seed(repr(a))
        self.gauss_next = None

    def reseed(self, base: int, number: int) -> None:
        """Begin stream `number` of the family `base`."""
        self._state = _mixed((base + number * _ODD) & _MASK)
        self.gauss_next = None

    def random(self) -> float:
        """Return the next number in [0, 1)."""
        return float(self.getrandbits(53)) * 2.0**-53

    def getrandbits(self, k: int, /) -> int:
        """Return `k` random bits."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        bits, have = 0, 0
        while have < k:
            self._state = (self._state + _GOLDEN) & _MASK
            bits = bits << 64 | _mixed(self._state)
            have += 64
        return bits >> (have - k)

    def getstate(self) -> Any:  # noqa: ANN401 - as in the base class
        """Return what `setstate` takes."""
        return self._state, self.gauss_next

    def setstate(self, state: Any) -> None:  # noqa: ANN401 - as in the base class
        """Go on where `getstate` was called."""
        self._state, self.gauss_next = state


def _encode(parts: tuple[Part, ...]) -> bytes:
    """Join parts so that no two different tuples give the same bytes."""
    texts = [(f"i{part}" if isinstance(part, int) else f"s{part}").encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)


def _mixed(state: int) -> int:
    """Return the bits of a state, thoroughly mixed."""
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
