"""The slowest timed requests of each variant, from the sealed rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loadstone.record.observations import Outcome
from loadstone.record.priced import SlowRequest
from loadstone.verdict.levels import Measured, Observations

MOST = 20
"""Of each variant."""


def slowest(observations: Observations, names: Sequence[str]) -> list[SlowRequest]:
    """Return each variant's slowest requests, the slowest first; of equals the earliest.

    Args:
        observations: the run's generations.
        names: of the variants, in the plan's order.
    """
    found = []
    for variant, name in enumerate(names):
        candidates = [
            (int(measured.rows["service_us"][row]), index, int(row))
            for index, measured in enumerate(observations.generations)
            for row in _slowest_rows(measured, variant)
        ]
        candidates.sort(key=lambda one: (-one[0], one[1], one[2]))
        for _, index, row in candidates[:MOST]:
            found.append(_request(observations, names, name, (index, row)))
    return found


def _slowest_rows(measured: Measured, variant: int) -> list[int]:
    """Return the places of a generation's slowest rows of one variant, no more than are asked for."""
    places = np.flatnonzero(measured.rows["variant"] == variant)
    order = np.argsort(-measured.rows["service_us"][places].astype(np.int64), kind="stable")[:MOST]
    return [int(place) for place in places[order]]


def _request(
    observations: Observations, names: Sequence[str], name: str, place: tuple[int, int]
) -> SlowRequest:
    measured = observations.generations[place[0]]
    rows, row = measured.rows, measured.rows[place[1]]
    same = np.flatnonzero((rows["pair"] == row["pair"]) & (rows["paired"] == 1) & bool(row["paired"]))
    return SlowRequest(
        variant=name,
        endpoint=observations.endpoints[int(row["step"])],
        generation=measured.line.index,
        pair=int(row["pair"]),
        user=int(row["user"]),
        iteration=int(row["iteration"]),
        outcome=Outcome(int(row["outcome"])).label,
        service_us=int(row["service_us"]),
        others_us={
            names[int(rows["variant"][one])]: int(rows["service_us"][one]) for one in same if one != place[1]
        },
        gap=bool(row["gap"]),
    )
