"""The open loop in a process of its own, with users that do little."""

import json
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path
from textwrap import dedent

import pytest

PROGRAM = Path(__file__).parents[2] / "fixtures" / "open_loop_program.py"
PLAIN = """
    import random
    class Someone(User):
        @task
        def look(self):
            Send("GET /")()
            drawn.append(random.randrange(10**9))
"""


@pytest.fixture
def run(tmp_path: Path):
    """Run a scenario's text under a plan; return what the program told."""

    def run(text: str, **options: object) -> dict:
        scenario = tmp_path / "scenario.py"
        scenario.write_text(dedent(text))
        done = subprocess.run(
            [sys.executable, str(PROGRAM), str(scenario), json.dumps(options)],
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    return run


def count(rows: list, endpoint: str, outcome: str = "ok") -> int:
    return sum(row[2] for row in rows if row[:2] == [endpoint, outcome])


def test_every_arrival_becomes_one_iteration(run):
    told = run(PLAIN, rate="500/200ms, 0/50ms, 400:800/100ms")
    assert told["due"] == told["begun"] == 160
    assert count(told["requests"], "GET /") == count(told["schedule"], "Someone.look") == 160
    assert count(told["schedule"], "(dispatch)") == 160
    assert told["not_sent"] == told["unfinished"] == told["scenario_errors"] == 0


def test_what_an_arrival_draws_depends_on_its_number_and_not_on_who_takes_it(run):
    """A user that sleeps makes the pool grow, and others take the arrivals."""
    slow = PLAIN.replace('Send("GET /")()', 'Send("GET /")(); import gevent; gevent.sleep(0.02)')
    alone, grown = run(PLAIN), run(slow)
    assert grown["users"] > alone["users"] == 1
    assert Counter(alone["drawn"]) == Counter(grown["drawn"])
    assert len(set(alone["drawn"])) == 10
    assert Counter(run(PLAIN, seed=2)["drawn"]) != Counter(alone["drawn"])


def test_workers_draw_together_what_one_draws_alone(run):
    parts = [run(PLAIN, shares=[[0, 3, place]])["drawn"] for place in range(3)]
    assert [len(part) for part in parts] == [4, 3, 3]
    assert Counter(chain(*parts)) == Counter(run(PLAIN)["drawn"])


def test_work_that_waits_keeps_its_intended_start(run):
    """Ten arrivals within 10 ms for one user that takes 20 ms each: the last waits nine turns."""
    told = run(
        """
        import gevent
        class Slow(User):
            @task
            def look(self):
                request = Send("GET /")
                gevent.sleep(0.02)
                request()
        """,
        most_users=1,
    )
    _, _, requests, response_us, service_us, _ = told["requests"][0]
    assert requests == 10
    assert told["backlog"] >= 8
    # arrival i is due at i ms and ends at the earliest at 20 (i + 1) ms
    assert response_us >= sum(20_000 * (i + 1) - 1000 * i for i in range(10))
    assert 200_000 <= service_us < response_us


def test_what_the_backlog_does_not_hold_is_counted_as_not_sent(run):
    told = run(
        """
        import gevent
        class Stuck(User):
            @task
            def look(self):
                gevent.sleep(3600)
        """,
        most_users=2,
        most_backlog=3,
        users=2,
        drain_s=0.1,
        variant=1,
    )
    assert {row[5] for row in told["requests"]} == {1}
    assert (told["due"], told["unfinished"], told["not_sent"]) == (10, 2, 8)
    assert count(told["requests"], "(not sent)", "not sent") == 8
    assert count(told["requests"], "(unfinished)", "timeout") == 2
    assert count(told["schedule"], "Stuck.look", "timeout") == 2


def test_work_that_is_done_before_its_end_reaches_it_is_counted_once(run):
    told = run(
        """
        import gevent
        from gevent.event import Event
        answered, kill = Event(), gevent.killall
        def answer_and_kill(greenlets, **options):
            answered.set()
            kill(greenlets, **options)
        gevent.killall = answer_and_kill
        class Late(User):
            @task
            def look(self):
                send = Send("GET /")
                answered.wait()
                send()
        """,
        most_users=10,
        users=10,
        drain_s=0.1,
    )
    assert count(told["requests"], "GET /") == count(told["schedule"], "Late.look") == 10
    assert told["unfinished"] == count(told["requests"], "(unfinished)", "timeout") == 0


def test_a_user_that_takes_no_notice_of_its_end_is_measured_no_more_and_gets_no_more_work(run):
    told = run(
        """
        import gevent, time
        from greenlet import getcurrent
        from loadstone.workload.due import UNTIMED
        class Stubborn(User):
            @task
            def look(self):
                by = time.monotonic() + 4
                while time.monotonic() < by:
                    try:
                        gevent.sleep(0.5)
                    except BaseException:
                        drawn.append("took no notice")
                drawn.append(getcurrent() in UNTIMED)
        stop = Pool.stop
        def wait_and_stop(pool):
            gevent.sleep(3)
            stop(pool)
        Pool.stop = wait_and_stop
        """,
        most_users=2,
        users=2,
        drain_s=0.1,
    )
    assert sorted(told["drawn"], key=str) == [True, True, "took no notice", "took no notice"]
    assert (told["unfinished"], told["not_sent"], told["living"]) == (2, 8, 0)
    assert count(told["schedule"], "Stubborn.look", "timeout") == 2
    assert count(told["schedule"], "Stubborn.look") == 0


def test_starting_and_stopping_are_no_part_of_the_plan(run):
    told = run(
        """
        class Careful(User):
            def on_start(self):
                Send("POST /login")()
            def on_stop(self):
                drawn.append("bye")
            @task
            def look(self):
                Send("GET /")()
        """,
        users=3,
    )
    assert count(told["requests"], "GET /") == 10
    assert count(told["requests"], "POST /login") == told["users"] == 3
    assert told["drawn"] == ["bye"] * 3


def test_nested_and_sequential_tasks_take_an_arrival_each(run):
    told = run(
        """
        class Walk(SequentialTaskSet):
            @task
            def first(self):
                drawn.append("first")
            @task
            def second(self):
                drawn.append("second")
            @task
            def leave(self):
                drawn.append("leave")
                self.interrupt()
        class Walker(User):
            wait_time = constant(3600)
            tasks = [Walk]
        """,
        rate="900/10ms",
    )
    assert told["drawn"] == ["first", "second", "leave"] * 3
    assert [count(told["schedule"], f"Walker.{name}") for name in ("first", "second", "leave")] == [3, 3, 3]


def test_classes_take_arrivals_by_weight(run):
    told = run(
        """
        class Many(User):
            weight = 3
            @task
            def look(self):
                drawn.append("many")
        class Few(User):
            @task
            def look(self):
                drawn.append("few")
        """,
        rate="800/100ms",
    )
    assert Counter(told["drawn"]) == {"many": 60, "few": 20}


def test_what_a_task_raises_is_a_failed_iteration(run):
    told = run(
        """
        class Clumsy(User):
            @task
            def look(self):
                Send("GET /")()
                raise KeyError("results")
        """
    )
    assert (told["scenario_errors"], told["first_error"]) == (10, "KeyError: 'results'")
    assert count(told["schedule"], "Clumsy.look", "check failed") == 10


def test_users_that_stop_are_replaced(run):
    told = run(
        """
        from locust.exception import StopUser
        class Brief(User):
            @task
            def look(self):
                drawn.append(id(self))
                raise StopUser
        """
    )
    assert told["begun"] == len(told["drawn"]) == 10


def test_users_that_never_start_end_the_run_with_the_reason(run):
    told = run(
        """
        class Broken(User):
            def on_start(self):
                raise RuntimeError("no login")
            @task
            def look(self):
                pass
        """
    )
    assert "do not start" in told["error"]
    assert "RuntimeError: no login" in told["error"]
