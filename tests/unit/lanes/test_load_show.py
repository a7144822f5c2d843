"""What the before/after page is told, out of recordings."""

import json

from loadstone.lanes.load_show import MOST_POINTS, Showing
from loadstone.record.histogram import Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times


def recording(variant: int, values_ms: list[int], outcome: Outcome = Outcome.OK) -> Recording:
    times = Histogram.of([value * 1000 for value in values_ms])
    whole = Recording()
    whole.add_second(0, {Key(variant, "GET /", outcome): Times(times, times, times)})
    return whole


def test_each_variant_has_a_row_with_its_own_percentiles():
    whole = recording(0, [*range(1, 101)])
    whole.add(recording(1, [10] * 50))
    whole.add(recording(1, [500], Outcome.SERVER_ERROR))
    showing = Showing("a run", [("before", "orm=naive"), ("after", "orm=prefetch")])
    page = json.loads(showing.page(whole, [2.0, 1.0]))
    before, after = page["variants"]
    assert (before["variant"], before["requests"], before["failed"], before["rps"]) == (
        "orm=naive",
        100,
        0,
        50.0,
    )
    assert (after["requests"], after["failed"], after["rps"]) == (51, 1, 51.0)
    assert abs(before["p50"] / 50 - 1) < 0.01
    assert abs(before["p99"] / 99 - 1) < 0.01
    assert after["max"] == 10.0


def test_what_is_not_known_is_no_number():
    page = json.loads(Showing("a run", [("it", "x")]).page(Recording(), [0.0]))
    assert {page["variants"][0][key] for key in ("p50", "p99", "max", "rps")} == {None}


def test_the_chart_forgets_its_oldest_points():
    showing = Showing("a run", [("it", "x")])
    for second in range(MOST_POINTS + 5):
        showing.add(0, float(second), recording(0, [5]))
    points = json.loads(showing.page(Recording(), [1.0]))["seconds"]
    assert (len(points), points[0]["at"]) == (MOST_POINTS, 5.0)
