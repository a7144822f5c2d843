import math

import pytest

from loadstone.config.rates import MOST_PIECES, Piece, parse_rate
from loadstone.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("200", [Piece(math.inf, 200, 200)]),
        (" 0.5 / 8h ", [Piece(28_800, 0.5, 0.5)]),
        ("50:300/2m", [Piece(120, 50, 300)]),
        ("300:50/1m30s", [Piece(90, 300, 50)]),
        ("100:300+100/3m", [Piece(60, 100, 100), Piece(60, 200, 200), Piece(60, 300, 300)]),
        ("20:10-10/1m", [Piece(30, 20, 20), Piece(30, 10, 10)]),
        ("100^1000@4s/1m", [Piece(28, 100, 100), Piece(4, 1000, 1000), Piece(28, 100, 100)]),
        ("100^1000@1m/1m", [Piece(60, 1000, 1000)]),
        ("(10/1s, 0/500ms)*2, 5", [Piece(1, 10, 10), Piece(0.5, 0, 0)] * 2 + [Piece(math.inf, 5, 5)]),
    ],
)
def test_what_is_written_is_what_is_planned(text, pieces):
    rate = parse_rate(text)
    assert list(rate.pieces) == pieces
    assert not rate.poisson


def test_poisson_holds_for_the_whole_plan():
    rate = parse_rate("poisson:100/1m, 100:400/30s, 400/1m")
    assert rate.poisson
    assert rate.duration_s == 150
    assert rate.peak_rps == 400
    assert sum(piece.arrivals for piece in rate.pieces) == 6000 + 7500 + 24_000


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "a rate is expected"),
        ("-5", 1, "a rate is expected"),
        ("0", 1, "nothing would be sent"),
        ("0/1m, 0", 1, "nothing would be sent"),
        ("1e9", 2, "'e9' is left over"),
        ("100 200", 5, "'200' is left over"),
        ("2000000", 1, "too many"),
        ("200/", 5, "a duration is expected"),
        ("200/s", 5, "a duration is expected"),
        ("50:300/2q", 8, "a duration is expected"),
        ("10/1s, 50/0s", 11, "longer than zero"),
        ("10/1s, 50:300", 8, "a ramp has no duration"),
        ("100, 200/1m", 1, "a part without a duration is followed by another"),
        ("10/1m, 100, 200/1m", 8, "a part without a duration is followed by another"),
        ("100:450+100/1m", 9, "do not lead from 100 to 450"),
        ("100:300-100/1m", 9, "do not lead from 100 to 300"),
        ("100:100+10/1m", 9, "do not lead from 100 to 100"),
        ("100:200+0/1m", 9, "do not lead from 100 to 200"),
        ("0:100000+1/1m", 10, "too many"),
        ("1^2/3s", 4, "the spike has no duration"),
        ("1^2@9s/3s", 5, "the spike lasts longer"),
        ("1^2@9s", 1, "a spike has no duration"),
        ("(1/2s", 6, "the group is not closed"),
        ("(1/2s)", 7, "no count after the group"),
        ("(1/2s)*0", 8, "cannot be repeated 0 times"),
        ("(1)*2", 2, "a group needs a duration"),
        ("((1/1s)*2)*2", 3, "groups cannot be nested"),
        ("(1/1s,2/1s)*9999", 1, f"more than {MOST_PIECES} pieces"),
    ],
)
def test_an_error_names_column_problem_and_remedy(text, column, problem):
    with pytest.raises(ConfigurationError) as caught:
        parse_rate(text)
    assert problem in caught.value.problem
    assert caught.value.cause.startswith(f"column {column}:")
    assert caught.value.remedy
