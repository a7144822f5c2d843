"""Folded stacks: read, merged, cut down."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loadstone.explain.stacks import MOST_ROWS, by_function, merged, read_folded

RAW = b"""process 7:"python -m gunicorn; \\"x y\\" --bind";process 9:"python";handle (a.py);run (b c.py) 12
process 7:"python";wait (a.py) 3
no count here
"""


def test_frames_that_stand_for_processes_are_dropped_whatever_their_command_holds():
    assert read_folded(RAW) == Counter({("handle (a.py)", "run (b c.py)"): 12, ("wait (a.py)",): 3})


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data):
    assert all(count >= 0 for count in read_folded(data).values())


def test_a_call_holds_the_samples_of_what_it_calls_on_each_side():
    before = Counter({("a", "b"): 600, ("a",): 100})
    after = Counter({("a", "c"): 50})
    assert merged([before, after]) == [(0, "a", [700, 50]), (1, "b", [600, 0]), (1, "c", [0, 50])]


def test_many_thin_branches_are_cut_down_and_thick_ones_stay():
    thin = Counter({("root", f"f{number}", f"g{number}"): 20 for number in range(2000)})
    rows = merged([thin + Counter({("root", "thick"): 5000}), Counter({("root",): 1})])
    assert len(rows) <= MOST_ROWS
    assert (1, "thick", [5000, 0]) in rows


def test_a_function_that_calls_itself_counts_once_in_its_total():
    assert by_function([Counter({("f", "f", "g"): 4, ("f",): 1})]) == {"f": ([1], [5]), "g": ([4], [4])}
