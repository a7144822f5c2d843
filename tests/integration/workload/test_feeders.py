import pytest
from lean import Lean

HOST = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def lean():
    driver = Lean()
    yield driver
    driver.close()


@pytest.fixture
def feed(lean, tmp_path):
    """Take rows from a feeder of `text` until it stops, at most eight."""

    def run(text, options="", name="rows.csv"):
        path = tmp_path / name
        path.write_text(text, newline="")
        return lean.run(
            HOST,
            f"""
            import random
            from loadstone.workload.feeders import Feeder
            random.seed(1)
            found = []
            feeder = Feeder.read({str(path)!r}, {options})
            try:
                for _ in range(8):
                    found.append(dict(feeder.next()))
            except locust.exception.StopUser:
                found.append("stop")
        """,
        )

    return run


TEN = "n\n" + "".join(f"{number}\n" for number in range(10))


def numbers(told):
    return [row if row == "stop" else row["n"] for row in told.found]


def test_rows_go_round_or_end_or_are_drawn(feed):
    assert numbers(feed("n\na\nb\nc\n", "order='circular'")) == [*"abcabcab"]
    assert numbers(feed("n\na\nb\nc\n", "order='once'")) == [*"abc", "stop"]
    drawn = numbers(feed(TEN))
    assert len(set(drawn)) > 3
    assert drawn == numbers(feed(TEN))  # from the stream of the user, which was seeded alike


def test_workers_share_rows_without_overlap(feed):
    shares = [numbers(feed(TEN, f"order='once', share=({worker}, 3)"))[:-1] for worker in range(3)]
    assert shares == [["0", "3", "6", "9"], ["1", "4", "7"], ["2", "5", "8"]]


def test_json_lines_keep_their_types(feed):
    told = feed('{"n": 1, "deep": [true]}\n\n{"n": 2, "deep": []}\n', "order='once'", name="rows.jsonl")
    assert told.found == [{"n": 1, "deep": [True]}, {"n": 2, "deep": []}, "stop"]


def test_quoted_fields_may_hold_commas_and_lines(feed):
    assert feed('\ufeffn,text\r\n1,"a, ""b""\r\nc"\r\n', "order='once'").found[0] == {
        "n": "1",
        "text": 'a, "b"\r\nc',
    }


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("n\n", "rows.csv", "at least one row"),
        ("a,b\n1,2\n3\n", "rows.csv", "rows.csv:3"),
        ("a\n1,2\n", "rows.csv", "rows.csv:2"),
        ('a\n"1\n', "rows.csv", "is no CSV"),
        ('{"a": 1}\n{"a"\n', "rows.jsonl", "rows.jsonl:2"),
        ("[1]\n", "rows.jsonl", "no object"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(feed, text, name, problem):
    told = feed(text, name=name)
    assert told.error.startswith("ConfigurationError")
    assert problem in told.error


def test_more_workers_than_rows_are_refused(feed):
    assert "2 rows for 3 workers" in feed("n\na\nb\n", "order='once', share=(2, 3)").error
