"""Reports reach the master once each, over a line that loses, doubles and reorders them."""

import random

import pytest

from loadstone.errors import MeasurementError
from loadstone.record.histogram import Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times
from loadstone.workload.load_protocol import Report
from loadstone.workload.reports import Inbox, Outbox


def recorded(requests: int, second: int) -> Recording:
    """Return a recording of so many requests."""
    times = Histogram.of([1000 + second] * requests)
    recording = Recording()
    if requests:
        recording.add_second(second, {Key(0, "GET /", Outcome.OK): Times(times, times, times)})
    return recording


class Source:
    """A worker's recorder: every report takes what came since the last one."""

    def __init__(self) -> None:
        self.fresh, self.all, self.second = 0, 0, 0

    def happen(self, requests: int) -> None:
        """Record requests during another second."""
        self.fresh += requests
        self.all += requests
        self.second += 1

    def report(self, seq: int) -> Report:
        """Return what an outbox sends."""
        taken, self.fresh = self.fresh, 0
        return Report(
            seq=seq, requests=recorded(taken, self.second).pack(), schedule=Recording().pack(),
            recorded=self.all, scheduled=0, cpu_s=0.1, elapsed_s=self.second, users=1, backlog=0,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_every_request_counts_once_whatever_the_line_does(seed):
    rng, source, inbox, merged = random.Random(seed), Source(), Inbox("worker 1"), Recording()
    on_the_way: list[Report] = []
    outbox = Outbox(on_the_way.append)
    acks: list[int] = []

    def shake() -> None:
        rng.shuffle(on_the_way)
        while on_the_way and rng.random() < 0.7:
            report = on_the_way.pop()
            if rng.random() < 0.3:
                continue  # lost
            if rng.random() < 0.3:
                on_the_way.append(report)  # comes again
            taken = inbox.take(report)
            if taken is not None:
                merged.add(taken[0])
            acks.append(report.seq)
        rng.shuffle(acks)
        while acks and rng.random() < 0.7:
            seq = acks.pop()
            if rng.random() < 0.7:
                outbox.ack(seq, go_on=True)

    for _ in range(60):
        source.happen(rng.randrange(50))
        outbox.post(source.report)
        shake()
    while not outbox.clear or source.fresh:
        outbox.post(source.report)
        shake()
    assert merged.total == inbox.requests == source.all
    assert inbox.repeated > 0


def test_what_waits_for_its_acknowledgement_is_sent_again_unchanged():
    source, sent = Source(), []
    outbox = Outbox(sent.append)
    source.happen(3)
    outbox.post(source.report)
    source.happen(4)
    outbox.post(source.report)
    assert sent[0] is sent[1]
    outbox.ack(1, go_on=True)
    outbox.post(source.report)
    assert (sent[2].seq, sent[2].recorded, Recording.unpack(sent[2].requests).total) == (2, 7, 4)


def test_a_report_that_is_missing_is_noticed():
    source, inbox = Source(), Inbox("worker 1")
    source.happen(3)
    source.report(1)
    source.happen(4)
    with pytest.raises(MeasurementError, match="missing"):
        inbox.take(source.report(2))


def test_a_report_that_holds_other_than_it_says_is_noticed():
    source, inbox = Source(), Inbox("worker 1")
    source.happen(3)
    source.all += 1
    with pytest.raises(MeasurementError, match="do not add up"):
        inbox.take(source.report(1))


def test_the_wish_to_end_comes_with_an_acknowledgement_however_often():
    ends, outbox = [], Outbox(lambda _report: None)
    outbox.on_end = lambda: ends.append(1)
    outbox.post(Source().report)
    outbox.ack(1, go_on=False)
    outbox.ack(1, go_on=False)
    assert len(ends) == 2
    assert outbox.clear
