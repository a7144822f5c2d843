"""Several pairs in flight: they overlap, and those with gaps are alone on the wire."""

import numpy as np

from loadstone.record.observations import rows_from_bytes

BROWSE = """
from locust import FastHttpUser, task
class Visitor(FastHttpUser):
    @task
    def browse(self):
        self.client.get("/page", name="/page")
"""


def spans(rows):
    """Return start and end of each pair, by its number."""
    found = {}
    for row in rows:
        start, end = int(row["start_us"]), int(row["start_us"]) + int(row["service_us"])
        old = found.get(int(row["pair"]), (start, end))
        found[int(row["pair"])] = min(old[0], start), max(old[1], end)
    return found


def test_pairs_overlap_but_for_those_with_gaps(generator_of, run_pairs, sides):
    with generator_of(BROWSE) as generator:
        done = run_pairs(generator, sides, users=4, in_flight=4, max_pairs=200, gap_share=0.2)
    rows = rows_from_bytes(done.rows)
    apart = {int(one) for one in rows["pair"][rows["gap"] == 1]}
    span = spans(rows)
    inside = [
        (one, other)
        for one in span
        for other in span
        if one < other and span[one][0] < span[other][1] and span[other][0] < span[one][1]
    ]
    assert len(inside) > 50
    assert apart
    assert not [couple for couple in inside if apart & set(couple)]


def test_one_in_flight_means_one(generator_of, run_pairs, sides):
    with generator_of(BROWSE) as generator:
        rows = rows_from_bytes(run_pairs(generator, sides, users=4, in_flight=1).rows)
    rows = rows[np.argsort(rows["start_us"])]
    ends = rows["start_us"] + rows["service_us"]
    assert (rows["start_us"][1:] + 1 >= ends[:-1]).all()
