"""Thresholds as people write them: `p99<200ms over 10s`, `errors<0.1%`, `GET /products: p95<80ms`.

    thresholds = threshold { "," threshold }
    threshold  = [ ENDPOINT ": " ] measure op limit [ "over" DURATION [ "abort" ] ]
    measure    = [ "response." | "service." | "lag." ] ( "p" PERCENT | "mean" | "max" )
               | "errors" | CLASS               share of requests that failed, or ended so
               | "rate"                         of requests that were answered
    op         = "<" | "<=" | ">" | ">="
    limit      = DURATION | SHARE "%" | NUMBER "/s"

Times are response times, of requests that ended well: a failure is never fast. Without
`over`, a threshold holds for the whole run; with it, for every window of that length,
and `abort` ends the run at the first one that breaks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from loadstone.config.locate import misread
from loadstone.config.units import parse_duration
from loadstone.errors import ConfigurationError

CLASSES = ("ok", "check failed", "3xx", "429", "4xx", "5xx", "timeout", "transport", "not sent")
"""Outcome classes that a share can be limited for."""
TIMES = ("response", "service", "lag")

_OPERATOR = re.compile(r"<=|>=|<|>")
_TIME = re.compile(r"(?:(\w+)\.)?(p(\d+(?:\.\d+)?)|mean|max)")
_LIMIT = re.compile(r"(?P<share>\d+(?:\.\d+)?)\s*%|(?P<rps>\d+(?:\.\d+)?)\s*/\s*s\b")
_TAIL = re.compile(r"\s+over\s+(?P<window>\S+?)(?P<abort>\s+abort)?\s*$")


class Unit(StrEnum):
    """What a limit is measured in."""

    MICROSECONDS = "us"
    SHARE = "share"
    PER_SECOND = "/s"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on one measure of one endpoint, or of all together."""

    text: str
    endpoint: str | None
    measure: str
    """`quantile`, `mean`, `max`, `errors`, `class` or `rate`."""
    operator: str
    limit: float
    unit: Unit
    time: str = "response"
    quantile: float = 0.0
    outcome: str = ""
    """For the measure `class`."""
    window_s: int = 0
    """Length of the windows in which it must hold; 0: the whole run."""
    abort: bool = False

    def holds(self, value: float) -> bool:
        """Tell whether `value`, in the limit's unit, keeps the limit."""
        if self.operator.startswith("<"):
            return value < self.limit or (self.operator == "<=" and value == self.limit)
        return value > self.limit or (self.operator == ">=" and value == self.limit)


def parse_thresholds(text: str) -> tuple[Threshold, ...]:
    """Return the thresholds of a comma-separated list.

    Raises:
        ConfigurationError: names the column, the problem and what to write.
    """
    found, start = [], 0
    for part in text.split(","):
        found.append(_threshold(text, start, part))
        start += len(part) + 1
    return tuple(found)


def _threshold(text: str, start: int, part: str) -> Threshold:
    start += len(part) - len(part.lstrip())
    part = part.strip()

    def bad(offset: int, problem: str, remedy: str) -> ConfigurationError:
        return misread("threshold", text, start + offset, problem, remedy)

    head, separator, rest = part.rpartition(": ")
    endpoint, at = (head.strip() or None) if separator else None, len(head) + len(separator)
    operator = _OPERATOR.search(rest)
    if operator is None:
        raise bad(at, "there is no comparison", "write it like p99<200ms, errors<0.1% or rate>=99%")
    measure = rest[: operator.start()].strip()
    try:
        found = _measure(measure)
    except ValueError as error:
        remedy = "use p99, service.p95, mean, max, errors, rate, or a class such as 5xx"
        raise bad(at, str(error), remedy) from error
    tail = _TAIL.search(rest, operator.end())
    written = rest[operator.end() : tail.start() if tail else len(rest)]
    where = at + operator.end() + len(written) - len(written.lstrip())
    limit, unit = _limit(written.strip())
    wanted = _units(found["measure"], endpoint)
    if unit not in wanted:
        examples = {Unit.MICROSECONDS: "200ms", Unit.SHARE: "0.1%", Unit.PER_SECOND: "180/s"}
        given = f"{written.strip()!r} is no limit for {measure}" if written.strip() else "there is no limit"
        told = " or ".join(examples[one] for one in wanted)
        raise bad(where, given, f"write {measure}{operator[0]}{told}")
    window_s = 0
    if tail:
        window_s = _window(tail["window"])
        if not window_s:
            raise bad(
                at + tail.start("window"),
                f"{tail['window']!r} is no window",
                "write whole seconds, such as over 10s",
            )
    return Threshold(
        text=part,
        endpoint=endpoint,
        operator=operator[0],
        limit=limit,
        unit=Unit(unit),
        window_s=window_s,
        abort=bool(tail and tail["abort"]),
        **found,
    )


def _measure(written: str) -> dict[str, Any]:
    """Return the fields that say what is measured; raises `ValueError` with the problem."""
    if written in {"errors", "rate"}:
        return {"measure": written}
    if written in CLASSES:
        return {"measure": "class", "outcome": written}
    match = _TIME.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is no measure" if written else "there is no measure")
    time = match[1] or "response"
    if time not in TIMES:
        raise ValueError(f"{time!r} is no time")
    if match[3] is None:
        return {"measure": match[2], "time": time}
    percent = float(match[3])
    if not 0 < percent < 100:  # noqa: PLR2004 - a percentage
        raise ValueError(f"{match[2]} is no percentile")
    return {"measure": "quantile", "time": time, "quantile": percent / 100}


def _units(measure: str, endpoint: str | None) -> tuple[Unit, ...]:
    if measure == "rate":
        # the plan knows no rate of one endpoint alone
        return (Unit.PER_SECOND,) if endpoint else (Unit.SHARE, Unit.PER_SECOND)
    return (Unit.SHARE,) if measure in {"errors", "class"} else (Unit.MICROSECONDS,)


def _limit(written: str) -> tuple[float, Unit | None]:
    match = _LIMIT.fullmatch(written)
    if match is not None:
        if match["share"] is not None:
            return float(match["share"]) / 100, Unit.SHARE
        return float(match["rps"]), Unit.PER_SECOND
    try:
        return parse_duration(written) * 1e6, Unit.MICROSECONDS
    except ConfigurationError:
        return 0.0, None


def _window(written: str) -> int:
    """Return whole seconds, or 0 where there are none."""
    try:
        seconds = parse_duration(written)
    except ConfigurationError:
        return 0
    return int(seconds) if seconds == int(seconds) else 0
