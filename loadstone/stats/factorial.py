"""Two-level factorial designs: which cells to measure, and what they say of each factor and pair of factors.

Box, Hunter & Hunter, *Statistics for Experimenters* (2nd ed.), chapters 5 and 6. The base has every
factor off. Cells are measured beside the base in blocks, generation by generation; an effect is a
weighted sum of the cells' log ratios to it. Cells of one block share their base and their
generations, so the sum is taken within each generation first, and its spread over generations
tells its variance; blocks are independent, and degrees of freedom are Welch's (1947) over them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import MeasurementError
from loadstone.stats.special import FloatArray, t_critical, t_two_sided_p

Signs = NDArray[np.int64]
Term = tuple[int, ...]
LEAST_FACTORS, MOST_FACTORS = 2, 4
FEWEST = 2
"""Generations of a block, for a spread at all."""


@dataclass(frozen=True, slots=True)
class Block:
    """Cells that were measured beside the base in the same generations."""

    cells: tuple[int, ...]
    """Rows of the design, the base left out."""
    log_ratios: FloatArray
    """[generation, cell] against the base."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A weighted sum of log ratios."""

    value: float
    se: float
    df: float
    p_value: float
    """Two-sided, of t(df)."""

    def interval(self, two_sided_p: float) -> tuple[float, float]:
        """Return the t interval of level 1 - `two_sided_p`."""
        half = float(t_critical(two_sided_p, self.df)) * self.se if self.se > 0 else 0.0
        return self.value - half, self.value + half


def design(factors: int, *, half: bool = False) -> Signs:
    """Return the cells [cell, factor] as -1 (off) and +1 (on), the base first.

    `half`: half of the cells, those in which the last factor is the product of the others (so
    signed that the base is among them): main effects of four factors stay clear of pairs, and
    pairs are told only as sums of two.

    Raises:
        MeasurementError: there are too few or too many factors for that.
    """
    if not LEAST_FACTORS <= factors <= MOST_FACTORS or (half and factors < MOST_FACTORS):
        raise MeasurementError(
            f"{factors} factors make no such design",
            cause=f"full designs have {LEAST_FACTORS} to {MOST_FACTORS}, half ones {MOST_FACTORS}",
        )
    free = factors - half
    signs = np.array(list(itertools.product((-1, 1), repeat=free)), dtype=np.int64)
    if half:
        signs = np.column_stack([signs, (-1) ** factors * signs.prod(axis=1)])
    order = np.lexsort((*(-signs.T), (signs > 0).sum(axis=1)))
    return signs[order]


def terms(factors: int) -> list[Term]:
    """Return every factor, then every pair of factors."""
    return [(one,) for one in range(factors)] + list(itertools.combinations(range(factors), 2))


def column(signs: Signs, term: Term) -> Signs:
    """Return the signs of a term in each cell: of a pair, the product of both."""
    product: Signs = signs[:, list(term)].prod(axis=1)
    return product


def aliases(signs: Signs, term: Term) -> list[Term]:
    """Return the other terms that the design cannot tell apart from `term`."""
    mine = column(signs, term)
    return [
        one
        for one in terms(signs.shape[1])
        if one != term and abs(int(column(signs, one) @ mine)) == len(signs)
    ]


def partition(cells: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Return `cells` in as few groups of at most `most` as it takes, as even in size as they can be."""
    count = math.ceil(len(cells) / most)
    return [tuple(cells[index::count]) for index in range(count)]


def term_estimate(signs: Signs, blocks: Sequence[Block], term: Term) -> Estimate:
    """Return the effect of a term: log ratio on against off, averaged over all else.

    Of a pair it is half the difference between one factor's effect with the other on and with
    it off. Raises `MeasurementError` as `weighted` does.
    """
    return weighted(2.0 * column(signs, term) / len(signs), blocks)


def cell_estimate(signs: Signs, blocks: Sequence[Block], cell: int) -> Estimate:
    """Return a cell's log ratio to the base."""
    weights = np.zeros(len(signs))
    weights[cell] = 1.0
    return weighted(weights, blocks)


def weighted(weights: FloatArray, blocks: Sequence[Block]) -> Estimate:
    """Return the sum of the cells' mean log ratios times `weights`; the base's own is zero.

    Raises:
        MeasurementError: a cell with a weight was not measured, or a block has too few generations.
    """
    missing = {int(cell) for cell in np.flatnonzero(weights)} - {0}
    value, parts = 0.0, []
    for block in blocks:
        sums = block.log_ratios @ weights[list(block.cells)]
        missing -= set(block.cells)
        count = len(sums)
        if count < FEWEST:
            raise MeasurementError(f"{count} generations of a block tell no spread")
        value += float(sums.mean())
        variance = float(sums.var(ddof=1)) / count
        if variance > 0:
            parts.append((variance, count - 1))
    if missing:
        raise MeasurementError(f"{len(missing)} cells of the design were not measured")
    total = sum(variance for variance, _ in parts)
    df = total**2 / sum(variance**2 / each for variance, each in parts) if parts else math.inf
    se = math.sqrt(total)
    p = float(t_two_sided_p(value / se, df)) if se > 0 else float(value == 0.0)
    return Estimate(value, se, df, p)


def best_path(signs: Signs, log_ratios: Mapping[int, float]) -> list[int]:
    """Return cells from the base to where every factor is on, each time by the factor that gains most.

    Args:
        signs: a full design.
        log_ratios: of each cell against the base, smaller is better.
    """
    path = [0]
    while (signs[path[-1]] < 0).any():
        last = signs[path[-1]]
        further = [
            cell
            for cell in range(len(signs))
            if (signs[cell] >= last).all() and int((signs[cell] != last).sum()) == 1
        ]
        path.append(min(further, key=lambda cell: (log_ratios[cell], cell)))
    return path


def predicted(signs: Signs, main: Sequence[float]) -> dict[int, float]:
    """Return each cell's log ratio to the base as the sum of the main effects of what is on."""
    return {cell: float(np.asarray(main)[row > 0].sum()) for cell, row in enumerate(signs)}


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the places of points that no other beats: as low in both, and lower in one."""
    return [
        place
        for place, (x, y) in enumerate(points)
        if not any(a <= x and b <= y and (a < x or b < y) for a, b in points)
    ]
