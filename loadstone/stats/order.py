"""Who starts when, and where: balanced random start orders and slots.

Generations come in couples whose start orders are each other's reverse, so that
after every even number of generations the start contrast of any two variants
sums to exactly zero. Over a whole block (4 generations for two or four variants,
6 for three) every variant has held every position, and every slot, equally often.
For two variants all four combinations of start order and slot occur once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import ConfigurationError
from loadstone.stats.streams import Part, stream

MOST_VARIANTS = 4
Row = tuple[tuple[int, ...], tuple[int, ...]]
"""Start position of each variant, and slot of each variant, in one generation."""


@dataclass(frozen=True, slots=True)
class StartPlan:
    """Start positions (0 first) and slots, both [generation, variant]."""

    positions: NDArray[np.int64]
    slots: NDArray[np.int64]


def start_plan(generations: int, variants: int, *parts: Part) -> StartPlan:
    """Return the start plan, a function of `parts` (such as the seed and the lane).

    A plan for more generations begins with the plan for fewer. The start order of
    each couple is a fair coin of its own, which `audit.rerandomise` relies on.

    Raises:
        ConfigurationError: fewer than 2 or more than 4 variants at once.
    """
    if not 2 <= variants <= MOST_VARIANTS:  # noqa: PLR2004 - a comparison has two sides
        raise ConfigurationError(
            f"{variants} variants cannot be resident at once",
            remedy=f"compare 2 to {MOST_VARIANTS}; more run as incomplete blocks that share the baseline",
        )
    rows: list[Row] = []
    block = 0
    while len(rows) < generations:
        rows.extend(_block(variants, stream(*parts, "start order", block)))
        block += 1
    positions, slots = zip(*rows[:generations], strict=True) if generations else ((), ())
    shape = (generations, variants)
    return StartPlan(
        np.array(positions, dtype=np.int64).reshape(shape), np.array(slots, dtype=np.int64).reshape(shape)
    )


def _block(variants: int, rng: random.Random) -> list[Row]:
    """Return one block: couples in random order, either member first, variants and slots relabelled."""
    couples = _COUPLES[variants]()
    rng.shuffle(couples)
    relabel = rng.sample(range(variants), variants)
    relocate = rng.sample(range(variants), variants)
    rows: list[Row] = []
    for couple in couples:
        first, second = couple if rng.getrandbits(1) else couple[::-1]
        rows += [first, second]
    return [
        (tuple(position[i] for i in relabel), tuple(relocate[slot[i]] for i in relabel))
        for position, slot in rows
    ]


def _two() -> list[tuple[Row, Row]]:
    """Order and slot agree in one couple and disagree in the other: a 2 x 2 factorial over four."""
    return [
        (((0, 1), (0, 1)), ((1, 0), (1, 0))),
        (((0, 1), (1, 0)), ((1, 0), (0, 1))),
    ]


def _three() -> list[tuple[Row, Row]]:
    """All six orders: a Latin square of order 3 with an orthogonal one for the slots, and its reverse."""
    couples: list[tuple[Row, Row]] = []
    for x in range(3):
        order = tuple((v + x) % 3 for v in range(3))
        slot = tuple((v + 2 * x) % 3 for v in range(3))
        other = tuple((v + 2 * x + 1) % 3 for v in range(3))
        couples.append(((order, slot), (tuple(2 - p for p in order), other)))
    return couples


def _four() -> list[tuple[Row, Row]]:
    """Two orthogonal Latin squares over GF(4): position v + x, slot v + 2x; v + 3 reverses an order."""
    double = (0, 2, 3, 1)  # multiplication by 2 in GF(4); addition is exclusive or

    def row(x: int) -> Row:
        return tuple(v ^ x for v in range(4)), tuple(v ^ double[x] for v in range(4))

    return [(row(0), row(3)), (row(1), row(2))]


_COUPLES = {2: _two, 3: _three, 4: _four}
