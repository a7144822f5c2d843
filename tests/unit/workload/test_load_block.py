"""A block over scripted workers: what they are told, and what is made of what they say."""

import pytest
from msgspec.structs import replace

from loadstone.config.rates import parse_rate
from loadstone.errors import MeasurementError
from loadstone.record.histogram import Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times
from loadstone.workload.arrivals import Arrivals, Share
from loadstone.workload.load_block import Block
from loadstone.workload.load_protocol import Ack, Report, Reshare, Reshared, RunBlock, WorkerDone
from loadstone.workload.load_sum import LOST
from loadstone.workload.protocol import Hello
from loadstone.workload.team import Gone, Team, Worker

ORDER = RunBlock(side=0, rate="100/10s", start_s=0.0, stop_s=10.0, key=[1], drain_s=1.0, shares=[(0, 1, 0)])


class Scripted:
    """A worker that answers at once: it hands out its arrivals, and says what its script wants.

    Args:
        script: called with the worker where it would begin.
    """

    def __init__(self, team: Team, name: str, script) -> None:
        self.team, self.name, self.script = team, name, script
        self.shares: list[Share] = []
        self.acks: list[Ack] = []
        self.recorded = self.seq = 0
        team.workers[name] = Worker(name, Hello(token="", pid=1, locust_version=""), self.write)

    def write(self, message) -> None:
        """Take what the master says."""
        if isinstance(message, RunBlock):
            self.shares = [Share(*one) for one in message.shares]
            self.script(self)
        elif isinstance(message, Reshare):
            self.shares = [Share(*one) for one in message.shares]
            self.say(Reshared(first=message.shares[-1][0], accepted=True))
        elif isinstance(message, Ack):
            self.acks.append(message)

    def say(self, message) -> None:
        """Send something."""
        self.team.put(self.name, message)

    def report(self, count: int, kind=Report, **fields) -> Report | WorkerDone:
        """Return the next report, of so many requests and iterations."""
        times = Histogram.of([100] * count)
        requests, schedule = Recording(), Recording()
        if count:
            requests.add_second(0, {Key(0, "GET /", Outcome.OK): Times(times, times, times)})
            schedule.add_second(0, {Key(0, "A.b", Outcome.OK): Times(times, times, times)})
        self.recorded, self.seq = self.recorded + count, self.seq + 1
        return kind(
            seq=self.seq, requests=requests.pack(), schedule=schedule.pack(), recorded=self.recorded,
            scheduled=self.recorded, cpu_s=0.1, **fields,
        )  # fmt: skip

    def second(self, count: int, elapsed_s: int) -> Report:
        """Return the report of a second."""
        return self.report(count, elapsed_s=elapsed_s, users=1, backlog=0)

    def done(self, count: int, due: int | None = None) -> WorkerDone:
        """Return the last report."""
        everything = self.recorded + count if due is None else due
        return self.report(
            count, WorkerDone, due=everything, last=999, begun=everything, not_sent=0, unfinished=0, users=1,
            backlog=0, scenario_errors=0, first_error="", duration_s=10.0, clock_drift_s=0.0,
        )  # fmt: skip

    @property
    def owned(self) -> int:
        """How many arrivals are its own."""
        return Arrivals(parse_rate("100/10s"), 0.0, 10.0, (1,)).count(self.shares)


def run(team: Team):
    return Block(team, ORDER, lambda *_: True).run()


def honest(worker: Scripted) -> None:
    worker.say(worker.second(100, 1))
    worker.say(worker.done(worker.owned - 100))


def test_reports_that_come_twice_or_late_count_once():
    def shaky(worker: Scripted) -> None:
        first, last = worker.second(100, 1), worker.done(worker.owned - 100)
        for report in (first, first, last, first, last):
            worker.say(report)

    team = Team()
    Scripted(team, "a", shaky)
    b = Scripted(team, "b", honest)
    done, requests, _ = run(team)
    assert (done.due, requests.total, done.mismatch) == (1000, 1000, "")
    assert done.workers[0].repeated >= 1
    assert [one.seq for one in b.acks] == [1, 2]


def test_the_last_report_of_the_block_before_which_comes_again_is_not_this_ones():
    def late(worker: Scripted) -> None:
        worker.say(replace(worker.done(7), block=ORDER.number - 1))
        worker.recorded = worker.seq = 0
        honest(worker)

    team = Team()
    worker = Scripted(team, "a", late)
    done, requests, _ = run(team)
    assert (done.due, requests.total, done.mismatch) == (1000, 1000, "")
    assert [one.seq for one in worker.acks] == [1, 2]


def test_a_report_that_never_came_is_no_measurement():
    def gap(worker: Scripted) -> None:
        worker.second(100, 1)
        worker.say(worker.second(100, 2))

    team = Team()
    Scripted(team, "a", gap)
    with pytest.raises(MeasurementError, match="missing"):
        run(team)


def test_a_worker_that_sent_other_than_its_share_is_found_out():
    team = Team()
    Scripted(team, "a", lambda worker: worker.say(worker.done(worker.owned - 1)))
    Scripted(team, "b", honest)
    assert run(team)[0].mismatch == "a handed out 499 arrivals, and the plan gave it 500"


def test_a_worker_that_dies_leaves_what_is_not_due_to_the_others_and_the_rest_is_lost():
    team = Team()

    def dies(worker: Scripted) -> None:
        worker.say(worker.second(3, 1))
        worker.say(Gone("was killed"))

    dead = Scripted(team, "a", dies)
    b = Scripted(team, "b", lambda worker: worker.say(worker.second(40, 1)))
    block = Block(team, ORDER, lambda *_: True)
    write = b.write

    def finish_after_reshare(message) -> None:
        write(message)
        if isinstance(message, Reshare):
            b.say(b.done(b.owned - 40))

    team.workers["b"].write = finish_after_reshare
    done, requests, _ = block.run()
    first = b.shares[-1].first
    assert b.shares == [Share(0, 2, 1), Share(first, 1, 0)]
    assert done.mismatch == ""
    line = done.workers[0]
    assert (line.ended, line.due, line.lost) == ("was killed", -(-first // 2), -(-first // 2) - 3)
    assert requests.count(endpoint=LOST, outcomes=(Outcome.NOT_SENT,)) == done.lost == line.lost
    assert done.due == done.planned == requests.total == 1000
    assert dead.name in team.lost


def test_a_worker_that_carried_out_more_than_its_share_is_found_out():
    """It says that it handed out what the plan gave it, but its reports hold more iterations."""
    team = Team()
    Scripted(team, "a", lambda worker: worker.say(worker.done(worker.owned + 41, due=worker.owned)))
    Scripted(team, "b", honest)
    done, requests, _ = run(team)
    assert requests.total > done.planned == done.due == 1000
    assert done.mismatch == "a carried out 541 arrivals, and the plan gave it 500"


def test_an_epoch_that_came_too_late_is_a_mismatch():
    team = Team()
    Scripted(team, "a", lambda worker: worker.say(Gone("was killed")))
    b = Scripted(team, "b", lambda _worker: None)

    def refuse(message) -> None:
        if isinstance(message, Reshare):
            b.say(Reshared(first=message.shares[-1][0], accepted=False))
            b.say(b.done(500))

    team.workers["b"].write = lambda message: refuse(message) if isinstance(message, Reshare) else None
    assert "too late" in run(team)[0].mismatch


def test_the_wish_to_end_goes_to_everybody():
    team = Team()
    workers = [Scripted(team, name, lambda worker: worker.say(worker.second(1, 1))) for name in "ab"]

    def until_second(second, *_):
        for worker in workers:
            worker.say(worker.second(1, 2))
            worker.say(worker.done(0))
        return second.elapsed_s < 1

    Block(team, ORDER, until_second).run()
    assert all(not worker.acks[-1].go_on for worker in workers)
