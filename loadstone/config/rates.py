"""Rates of arrivals as people write them: `200`, `50:300/2m`, `poisson:100/1m, 100:400/30s, 400`.

    rate  = [ "poisson:" ] parts
    parts = part { "," part }
    part  = "(" parts ")" "*" COUNT           the same again, COUNT times
          | shape [ "/" DURATION ]            without a duration: to the end of the run (the last part only)
    shape = RATE                              steady
          | RATE ":" RATE                     ramp, linear
          | RATE ":" RATE ("+"|"-") STEP      stairs: from, to, height of a step; the steps last equally long
          | RATE "^" RATE "@" DURATION        base, and one spike of that duration in the middle

Rates are arrivals (iterations) per second. A soak is a steady rate that lasts:
`200/8h`. A pause is `0/10s`. `replay:FILE` (or `replay:FILE*2`, twice as fast) takes
the arrival times of recorded traffic, as `loadstone scenario` writes them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import msgspec

from loadstone.config.locate import misread
from loadstone.config.units import parse_duration
from loadstone.errors import ConfigurationError

MOST_RPS = 1_000_000.0
MOST_PIECES = 10_000
POISSON = "poisson:"
REPLAY = "replay:"
LEAST_GAP_S = 1e-6
"""Between two recorded arrivals: none are at the same instant."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_COUNT = re.compile(r"\d{1,9}")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h))+")
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch in which the rate changes linearly; rates in arrivals per second."""

    duration_s: float
    """Infinite: as long as the run."""
    start_rps: float
    end_rps: float

    @property
    def arrivals(self) -> float:
        """The area under the piece, which need not be whole; infinite where it has no end."""
        mean = (self.start_rps + self.end_rps) / 2
        return self.duration_s * mean if mean else 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A whole plan of arrivals."""

    text: str
    pieces: tuple[Piece, ...]
    poisson: bool = False
    """Arrivals at random with this rate, instead of evenly spaced ones."""
    replayed: bool = False
    """Pieces that hold one arrival each, at recorded times."""

    @property
    def duration_s(self) -> float:
        """Length of the plan in seconds; infinite where the last piece has no end."""
        return sum(piece.duration_s for piece in self.pieces)

    @property
    def peak_rps(self) -> float:
        """Highest rate of the plan; of recorded traffic, in any second."""
        if not self.replayed:
            return max(max(piece.start_rps, piece.end_rps) for piece in self.pieces)
        starts = accumulate((piece.duration_s for piece in self.pieces[:-1]), initial=0.0)
        return float(max(Counter(int(start) for start in starts).values()))


def parse_rate(text: str) -> Rate:
    """Return the plan that `text` describes.

    Raises:
        ConfigurationError: names the column, what was expected there and what to write.
    """
    return _replayed(text.strip()) if text.lstrip().startswith(REPLAY) else _Parser(text).rate()


def _replayed(text: str) -> Rate:
    """Return a plan with an arrival at each recorded time: between two of them, a rate of one a gap."""
    name, _, speed = text.removeprefix(REPLAY).partition("*")
    if speed and (not _NUMBER.fullmatch(speed.strip()) or not float(speed)):
        at = len(text) - len(speed)
        raise misread("rate", text, at, "a speed is expected", "write it like replay:FILE*2")
    times = _recorded_times(Path(name.strip()))
    pieces, last = [], times[0] - LEAST_GAP_S
    for at_s in times[1:]:
        gap = max(at_s - last - LEAST_GAP_S, LEAST_GAP_S)
        last += gap
        scaled = gap / float(speed or 1)
        pieces.append(Piece(scaled, 1 / scaled, 1 / scaled))
    return Rate(text, (*pieces, Piece(LEAST_GAP_S, 1 / LEAST_GAP_S, 1 / LEAST_GAP_S)), replayed=True)


def _recorded_times(path: Path) -> list[float]:
    """Return ascending times in seconds from 0; raises `ConfigurationError` with the line."""
    decoder = msgspec.json.Decoder(_Recorded)
    times: list[float] = []
    try:
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            at_s = decoder.decode(line).at
            if not math.isfinite(at_s) or at_s < (times[-1] if times else 0.0):
                raise msgspec.DecodeError(f"line {number}: the times do not ascend")  # noqa: TRY301 - one end for all faults
            times.append(at_s)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} holds no recorded arrivals",
            cause=str(error),
            remedy="make it with loadstone scenario from-har or from-log",
        ) from error
    if not times:
        raise ConfigurationError(f"{path} holds no recorded arrivals", cause="it is empty")
    return [at_s - times[0] for at_s in times]


class _Recorded(msgspec.Struct):
    at: float


class _Parser:
    """One pass over the text, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def rate(self) -> Rate:
        self._skip()
        poisson = self._text[self._at :].lower().startswith(POISSON)
        self._at += len(POISSON) if poisson else 0
        pieces = self._parts(depth=0)
        if self._at < len(self._text):
            raise self._error(f"{self._text[self._at :]!r} is left over", "separate parts by a comma")
        if not any(piece.arrivals for piece in pieces):
            raise self._error("nothing would be sent", "give a rate above 0, such as 200 or 50:300/2m", 0)
        return Rate(text=self._text.strip(), pieces=tuple(pieces), poisson=poisson)

    def _parts(self, depth: int) -> list[Piece]:
        pieces: list[Piece] = []
        last = self._at
        while True:
            if pieces and math.isinf(pieces[-1].duration_s):
                raise self._error("a part without a duration is followed by another", "add /30s to it", last)
            last = self._at
            pieces += self._group(depth) if self._take("(") else self._shape()
            if len(pieces) > MOST_PIECES:
                raise self._error(f"the plan has more than {MOST_PIECES} pieces", "make it simpler", last)
            if not self._take(","):
                return pieces

    def _group(self, depth: int) -> list[Piece]:
        start = self._at
        if depth:
            raise self._error("groups cannot be nested", "write the inner group out")
        pieces = self._parts(depth + 1)
        if not self._take(")"):
            raise self._error("the group is not closed", "add )*COUNT, such as (100/20s, 400/5s)*3")
        if math.isinf(pieces[-1].duration_s):
            raise self._error("a group needs a duration for each part", "add one, such as /30s", start)
        if not self._take("*"):
            raise self._error("there is no count after the group", "write how often, such as )*3")
        at = self._at
        count = int(self._match(_COUNT, "a count", "write a whole number, such as )*3"))
        if not 1 <= count <= MOST_PIECES:
            raise self._error(f"a group cannot be repeated {count} times", f"choose 1 to {MOST_PIECES}", at)
        return pieces * count

    def _shape(self) -> list[Piece]:
        start = self._at
        first = self._rps()
        if self._take(":"):
            second = self._rps()
            sign = "+" if self._take("+") else "-" if self._take("-") else ""
            if not sign:
                return [Piece(self._duration(start, needed="a ramp"), first, second)]
            return self._stairs(start, first, second, sign)
        if self._take("^"):
            return self._spike(start, first)
        return [Piece(self._duration(start), first, first)]

    def _stairs(self, start: int, first: float, second: float, sign: str) -> list[Piece]:
        at = self._at
        height = self._rps()
        count = abs(second - first) / height if height else 0.0
        right = (second > first) == (sign == "+") and first != second and height > 0
        if not right or abs(count - round(count)) > _TOLERANCE * max(1.0, count):
            raise self._error(
                f"steps of {sign}{height:g} do not lead from {first:g} to {second:g}",
                "write stairs like 100:500+100/5m or 500:100-100/5m",
                at,
            )
        if count >= MOST_PIECES:
            raise self._error(f"stairs of {count:.0f} steps are too many", "choose higher steps", at)
        steps = round(count) + 1
        each = self._duration(start, needed="stairs") / steps
        rates = [first + (second - first) * index / (steps - 1) for index in range(steps)]
        return [Piece(each, rps, rps) for rps in rates]

    def _spike(self, start: int, base: float) -> list[Piece]:
        top = self._rps()
        if not self._take("@"):
            raise self._error("the spike has no duration", "write it like 100^1000@5s/2m")
        at = self._at
        spike_s = self._seconds()
        whole_s = self._duration(start, needed="a spike")
        side_s = (whole_s - spike_s) / 2
        if side_s < 0:
            raise self._error("the spike lasts longer than its part", "write it like 100^1000@5s/2m", at)
        sides = [Piece(side_s, base, base)] if side_s else []
        return [*sides, Piece(spike_s, top, top), *sides]

    def _rps(self) -> float:
        at = self._at
        value = float(self._match(_NUMBER, "a rate", "write arrivals per second, such as 200 or 50:300/2m"))
        if value > MOST_RPS:
            raise self._error(
                f"{value:g} arrivals per second are too many", f"choose at most {MOST_RPS:,.0f}", at
            )
        return value

    def _duration(self, start: int, needed: str = "") -> float:
        if self._take("/"):
            return self._seconds()
        if needed:
            raise self._error(f"{needed} has no duration", "add one, such as /2m", start)
        return math.inf

    def _seconds(self) -> float:
        at = self._at
        written = self._match(_DURATION, "a duration", "write it like 90s, 2m or 1m30s; rates are per second")
        try:
            return parse_duration(written)
        except ConfigurationError as error:
            raise self._error(error.problem, "choose more than 0", at) from error

    def _match(self, pattern: re.Pattern[str], what: str, remedy: str) -> str:
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._error(f"{what} is expected", remedy)
        self._at = found.end()
        self._skip()
        return found[0]

    def _take(self, mark: str) -> bool:
        self._skip()
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            self._skip()
            return True
        return False

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _error(self, problem: str, remedy: str, at: int | None = None) -> ConfigurationError:
        return misread("rate", self._text, self._at if at is None else at, problem, remedy)
