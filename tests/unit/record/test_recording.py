import base64
import itertools
import random

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

import loadstone.record.recording as recording_module
from loadstone.errors import MeasurementError
from loadstone.record.hdr import encode_v2, log_lines
from loadstone.record.histogram import LARGEST_US, Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times, Window

HOME = Key(0, "GET /", Outcome.OK)


def cells(*values, key=HOME):
    histogram = Histogram.of(values)
    return {key: Times(histogram, histogram, Histogram.of([0] * len(values)))}


def recorded(second, *values, key=HOME):
    recording = Recording()
    recording.add_second(second, cells(*values, key=key))
    return recording


def test_a_packed_recording_comes_back_equal():
    recording = recorded(3, 100, 70_000)
    recording.add(recorded(4, 5, key=Key(1, "POST /ä", Outcome.TIMEOUT)))
    again = Recording.unpack(recording.pack())
    assert again.cells == recording.cells
    assert again.windows == recording.windows
    assert again.pack() == recording.pack()


@pytest.mark.parametrize("damage", [b"", b"LSR1", b"LSR2rest", b"LSR1" + b"\x00" * 40])
def test_what_is_no_recording_is_refused(damage):
    with pytest.raises(MeasurementError, match="cannot be read"):
        Recording.unpack(damage)


def test_a_chunk_cut_short_is_refused():
    chunk = recorded(0, *range(1000)).pack()
    with pytest.raises(MeasurementError, match="cannot be read"):
        Recording.unpack(chunk[:-3])


def test_there_are_never_more_windows_than_a_number_and_all_of_them_still_hold_everything(monkeypatch):
    monkeypatch.setattr(recording_module, "MOST_WINDOWS", 100)  # the real number takes dense hours to reach
    recording = Recording()
    week = range(0, 7 * 86_400, 300)
    most = 0
    for second in week:
        recording.add_second(second, cells(second % 1000 + 1))
        most = max(most, len(recording.windows))
    assert 90 < most <= 101  # one is added before the rest are tidied
    assert recording.total == len(week)
    assert sum(Recording(cells=one).total for one in recording.windows.values()) == recording.total


def test_the_last_seconds_are_kept_one_by_one():
    recording = Recording()
    for second in range(1000):
        recording.add_second(second, cells(1))
    assert all(Window(second, 1) in recording.windows for second in range(950, 1000))
    assert recording.between(990, 1000).total == 10


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 10_000)), min_size=1, max_size=60), st.data())
def test_it_does_not_matter_in_which_order_recordings_are_added(samples, data):
    def total(order):
        recording = Recording()
        for second, value in order:
            recording.add(recorded(second, value))
        return recording

    one, other = total(samples), total(data.draw(st.permutations(samples)))
    assert one.cells == other.cells
    spans = [sorted((w.start_s, w.start_s + w.width_s) for w in each.windows) for each in (one, other)]
    for span in spans:
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(span))


def test_timeouts_belong_to_every_quantile_of_response_times():
    recording = recorded(0, *[1000] * 90)
    recording.add(recorded(0, *[2_000_000] * 10, key=Key(0, "GET /", Outcome.TIMEOUT)))
    recording.add(recorded(0, *[50] * 900, key=Key(0, "GET /", Outcome.SERVER_ERROR)))
    assert recording.quantile(0.5).value_us == pytest.approx(1000, rel=0.004)  # fast failures do not flatter
    assert recording.quantile(0.95).high_us == float("inf")


@settings(max_examples=25)  # the other implementation is slow
@given(st.lists(st.integers(0, LARGEST_US), max_size=300))
def test_another_implementation_reads_our_export_alike(values):
    histogram = Histogram.of(values)
    theirs = HdrHistogram.decode(base64.b64encode(encode_v2(histogram)))
    reference = HdrHistogram(1, LARGEST_US, 2)
    for value in values:
        reference.record_value(value)
    assert theirs.get_total_count() == len(values)
    for percentile in (0, 25, 50, 90, 99, 99.9, 100):
        assert theirs.get_value_at_percentile(percentile) == reference.get_value_at_percentile(percentile)


def test_the_log_of_an_export_can_be_read_line_by_line():
    recording = recorded(0, *random.Random(1).sample(range(1, 100_000), 500))
    recording.add(recorded(1, 7, key=Key(0, "GET /a b,c", Outcome.SERVER_ERROR)))
    lines = [line.split(",") for line in log_lines(recording) if line.startswith("Tag=")]
    assert [line[0] for line in lines] == ["Tag=0/GET_//ok", "Tag=0/GET_/a_b_c/5xx"]
    assert HdrHistogram.decode(lines[0][4]).get_total_count() == 500
