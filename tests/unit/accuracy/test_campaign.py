"""Campaigns: fair to their cells, in time, patient with failures but not for ever."""

from dataclasses import dataclass
from functools import partial

import campaign
from campaign import Cell, Limits


@dataclass
class Clock:
    """A clock that only runs move on."""

    now: float = 0.0

    def __call__(self):
        """Tell the time."""
        return self.now


def made_row(name="", *, settings="new", verdict="equivalent", duration_s=60.0, words=()):
    return {
        "name": name,
        "settings": settings,
        "verdict": verdict,
        "duration_s": duration_s,
        "exit_code": 3 if verdict == "none" else 0,
        "failed": "it died" if verdict == "none" else "",
        "words": list(words),
    }


def make_cell(clock, name, *, stored=(), took_s=60.0, **fields):
    def run():
        clock.now += took_s
        return made_row(name, duration_s=took_s, **fields)

    return Cell(name, run, list(stored), guess_s=60.0)


def names(done):
    return [cell.name for cell, _ in done]


def test_every_cell_gets_so_many_new_runs_in_turn():
    clock = Clock()
    cells = [make_cell(clock, "a", stored=[made_row()] * 9), make_cell(clock, "b")]
    assert names(campaign.conduct(cells, Limits(2), clock=clock)) == ["a", "b", "a", "b"]


def test_with_a_time_limit_the_cell_with_the_fewest_runs_is_next():
    clock = Clock()
    cells = [make_cell(clock, "a", stored=[made_row()] * 2), make_cell(clock, "b"), make_cell(clock, "c")]
    done = campaign.conduct(cells, Limits(0, for_s=500.0), clock=clock)
    assert names(done)[:4] == ["b", "c", "b", "c"]
    assert {"a", "b", "c"} == set(names(done)[4:])


def test_runs_of_older_settings_do_not_make_a_cell_rich():
    clock = Clock()
    cells = [make_cell(clock, "a", stored=[made_row(settings="old")] * 5), make_cell(clock, "b")]
    assert names(campaign.conduct(cells, Limits(0, for_s=300.0), clock=clock)) == ["b", "a", "b", "a"]


def test_a_run_that_would_not_end_in_time_is_not_begun():
    clock = Clock()
    campaign.conduct(
        [make_cell(clock, "a", stored=[made_row(duration_s=100.0)])], Limits(0, 99.0), clock=clock
    )
    assert clock.now == 0.0
    campaign.conduct([make_cell(clock, "a")], Limits(0, for_s=200.0), clock=clock)
    assert 60.0 <= clock.now <= 200.0


def test_runs_without_any_result_end_a_campaign_only_three_in_a_row():
    clock = Clock()
    done = campaign.conduct([make_cell(clock, "a", verdict="none")], Limits(10), clock=clock)
    assert len(done) == 3
    mixed = [make_cell(clock, "a", verdict="none"), make_cell(clock, "b")]
    assert len(campaign.conduct(mixed, Limits(5), clock=clock)) == 10


def test_wrong_use_is_not_repeated():
    cell = Cell("a", partial(made_row, verdict="none"), [], guess_s=1.0)
    wrong = Cell("a", lambda: cell.run() | {"exit_code": 2}, [], guess_s=1.0)
    assert len(campaign.conduct([wrong], Limits(10))) == 1


def test_the_plan_tells_runs_and_seconds():
    cells = [make_cell(Clock(), "a"), make_cell(Clock(), "b", stored=[made_row(duration_s=100.0)])]
    assert campaign.planned(cells, Limits(3)) == (6, 3 * (60.0 + 113.0))
    assert campaign.planned(cells, Limits(3, for_s=865.0)) == (10, 865.0)


def test_settings_shown_are_those_used_last_and_others_are_told_by_number():
    old = {"choice": "orm=prefetch", "verdict": "inconclusive"}
    rows = [
        old,
        made_row(settings="a"),
        made_row(settings="b"),
        made_row(settings="a"),
        made_row(settings="b"),
    ]
    assert campaign.choose_settings(rows, None) == ("b", [rows[2], rows[4]], {"unknown": 1, "a": 2})
    assert campaign.choose_settings(rows, "a")[1] == [rows[1], rows[3]]
    assert campaign.choose_settings([old], None) == ("", [], {"unknown": 1})


def test_a_run_that_never_had_a_plan_stays_with_the_settings_of_its_words():
    rows = [
        made_row(settings="a", words=["--budget", "3m"]),
        made_row(settings="", verdict="none", words=["--budget", "3m"]),
        made_row(settings="", verdict="none"),
    ]
    assert campaign.choose_settings(rows, None)[1] == rows[:2]


def test_an_interruption_is_told_by_the_exit_code():
    def run():
        raise KeyboardInterrupt

    assert campaign.exit_code([Cell("a", run, [], guess_s=1.0)], Limits(2)) == 130
    assert campaign.exit_code([make_cell(Clock(), "a")], Limits(1)) == 0
