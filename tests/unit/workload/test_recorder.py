import random

import pytest

from loadstone.record.histogram import Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording, Window
from loadstone.workload.recorder import BATCH, MAX_ENDPOINTS, OTHER_ENDPOINTS, Recorder

S, MS, US = 1_000_000_000, 1_000_000, 1_000
T0 = 77 * S


@pytest.fixture
def recorder():
    return Recorder(T0)


def test_a_request_has_three_times(recorder):
    recorder.record(recorder.endpoint("GET /"), Outcome.OK, T0 + 1 * MS, T0 + 4 * MS, T0 + 10 * MS)
    taken = recorder.take()
    assert taken.histogram("response").sum_us == 9_000
    assert taken.histogram("service").sum_us == 6_000
    assert taken.histogram("lag").sum_us == 3_000


def test_variants_endpoints_outcomes_and_seconds_are_kept_apart(recorder):
    before, after = recorder.endpoint("GET /", variant=0), recorder.endpoint("GET /", variant=1)
    recorder.record(before, Outcome.OK, T0, T0, T0 + 1 * MS)
    recorder.record(after, Outcome.SERVER_ERROR, T0, T0, T0 + 2 * S)
    taken = recorder.take()
    assert {tuple(key) for key in taken.cells} == {(0, "GET /", 0), (1, "GET /", 4)}
    assert set(taken.windows) == {Window(0, 1), Window(2, 1)}
    assert taken.count(variant=1, outcomes=[Outcome.SERVER_ERROR]) == 1
    assert taken.between(0, 1).count(variant=0) == 1


def test_takes_add_up_to_everything_that_was_recorded(recorder):
    generator = random.Random(5)
    ids = [recorder.endpoint(f"GET /{number}") for number in range(20)]
    truth: dict[str, list[int]] = {}
    total = Recording()
    now = T0
    for count in range(5 * BATCH + 17):
        now += generator.randrange(10 * MS)
        service = generator.randrange(1, 10 ** generator.randrange(1, 8)) * US
        endpoint, outcome = generator.choice(ids), generator.choice([Outcome.OK, Outcome.TIMEOUT])
        recorder.record(endpoint, outcome, now - service, now - service, now)
        truth.setdefault(f"GET /{endpoint}", []).append(service // US)
        if count % 1500 == 0:
            total.add(recorder.take())
    total.add(recorder.take())
    assert recorder.take().total == 0
    for name, values in truth.items():
        assert total.histogram("service", endpoint=name) == Histogram.of(values)
    parts = [Recording(cells=cells) for cells in total.windows.values()]
    assert Histogram.total_of(part.histogram("service") for part in parts) == total.histogram("service")


def test_a_split_takes_what_was_recorded_until_then_and_no_more(recorder):
    known = recorder.endpoint("GET /")
    for end in range(BATCH + 3):
        recorder.record(known, Outcome.OK, T0, T0, T0 + end * MS)
    part, recorded = recorder.split(), recorder.recorded
    recorder.record(recorder.endpoint("GET /new"), Outcome.OK, T0, T0, T0 + 1 * MS)
    assert (part.take().total, recorded) == (BATCH + 3, BATCH + 3)
    rest = recorder.take()
    assert {key.endpoint for key in rest.cells} == {"GET /new"}
    assert recorder.recorded == BATCH + 4


def test_requests_that_end_out_of_order_belong_to_the_second_they_ended_in(recorder):
    endpoint = recorder.endpoint("GET /")
    for second in (5, 3, 5, 4, 3):
        recorder.record(endpoint, Outcome.OK, T0, T0, T0 + second * S)
        recorder.fold()
    taken = recorder.take()
    counts = {window.start_s: Recording(cells=cells).total for window, cells in taken.windows.items()}
    assert counts == {3: 2, 4: 1, 5: 2}


def test_a_recorder_that_nobody_takes_from_stays_small(recorder):
    endpoint = recorder.endpoint("GET /")
    for second in range(4000):
        recorder.record(endpoint, Outcome.OK, 0, T0 + second * S, T0 + second * S + second)
        recorder.fold()
    taken = recorder.take()
    assert taken.total == 4000
    assert len(taken.windows) < 700


def test_too_many_names_share_one(recorder):
    for number in range(MAX_ENDPOINTS + 5):
        recorder.record(recorder.endpoint(f"GET /{number}"), Outcome.OK, T0, T0, T0 + 1)
    taken = recorder.take()
    assert taken.total == MAX_ENDPOINTS + 5
    assert taken.count(endpoint=OTHER_ENDPOINTS) == 5


def test_nothing_takes_less_than_no_time(recorder):
    """Clocks of other hosts may lead; nothing becomes negative."""
    recorder.record(recorder.endpoint("GET /"), Outcome.OK, T0 + 5 * MS, T0, T0 + 1 * MS)
    assert recorder.take().histogram("response").max_us == 0
