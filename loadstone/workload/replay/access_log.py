"""Requests of an access log: common or combined format, or one JSON object a line.

Logs have no bodies, so only requests that need none can be replayed. Many tell whole
seconds; requests of one second are spread over it evenly, in their order.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.workload.replay.entries import MOST_ENTRIES, Raw
from loadstone.workload.replay.har import read_bytes

WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
TIME_FIELDS = ("time", "timestamp", "@timestamp", "time_iso8601", "time_local", "ts", "msec", "datetime")
METHOD_FIELDS = ("method", "request_method", "verb", "http_method")
PATH_FIELDS = ("path", "uri", "request_uri", "url", "target")
_LINE = re.compile(r'^(\S+) (\S+) (.+?) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\S+)')
_CLF_TIME = "%d/%b/%Y:%H:%M:%S %z"
_MILLISECONDS = 1e11
"""Unix times above are in milliseconds: as seconds they would lie in the year 5138."""
_SHOWN = 80


def read_log(path: Path, left_out: Counter[str], *, skip_bad: bool = False) -> list[Raw]:
    """Return the requests of an access log that can be replayed.

    Args:
        path: of the log.
        left_out: takes how many were left out, by reason.
        skip_bad: leave out lines that cannot be read.

    Raises:
        ConfigurationError: a line cannot be read, or nothing is left; names the line.
    """
    text = read_bytes(path).decode("utf-8", errors="surrogateescape")
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {path.name}"
        try:
            raw = _json(line, where) if line.lstrip().startswith("{") else _plain(line, where)
        except ValueError as error:
            if skip_bad:
                left_out["unreadable lines"] += 1
                continue
            raise ConfigurationError(
                f"{where} is no line of an access log: {error}",
                cause=ascii(line[:_SHOWN]),
                remedy="it must be of the common or combined format, or JSON; --skip-bad leaves it out",
            ) from error
        if raw is None:
            left_out["that were no HTTP requests"] += 1
        elif raw.method not in WITHOUT_BODY:
            left_out["whose bodies the log does not have"] += 1
        else:
            found.append(raw)
        if len(found) > MOST_ENTRIES:
            raise ConfigurationError(f"{path.name} holds more than {MOST_ENTRIES} requests", remedy="cut it")
    if not found:
        raise ConfigurationError(f"{path.name} holds no request to replay", remedy="choose another")
    return list(_spread(found))


def _plain(line: str, where: str) -> Raw | None:
    match = _LINE.match(line)
    if match is None:
        raise ValueError("it has another format")
    try:
        when = datetime.strptime(match[4], _CLF_TIME).timestamp()  # noqa: DTZ007 - the format has %z
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{match[4][:40]!r} is no time") from error
    return _request(match[5], when, where)


def _request(line: str, when: float, where: str) -> Raw | None:
    """Return the request of a request line; None for what is no HTTP."""
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/") or not words[0].isalpha():  # noqa: PLR2004 - method, target, version
        return None
    if not words[1].startswith(("/", "http://", "https://")) or not words[1].isprintable():
        return None
    return Raw(where, when, words[0].upper(), words[1])


def _json(line: str, where: str) -> Raw | None:
    try:
        row = msgspec.json.decode(line.encode("utf-8", errors="surrogateescape"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(row, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - of the line, not of a type
    when = _when(_first(row, TIME_FIELDS))
    request = row.get("request")
    if isinstance(request, str):
        return _request(request, when, where)
    fields = {**row, **request} if isinstance(request, dict) else row
    method, path = _first(fields, METHOD_FIELDS), _first(fields, PATH_FIELDS)
    if not isinstance(method, str) or not isinstance(path, str):
        raise ValueError("it names no method and path")  # noqa: TRY004 - as above
    return _request(f"{method} {path} HTTP/1.1", when, where)


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:  # noqa: ANN401 - JSON may be anything
    return next((row[name] for name in names if name in row), None)


def _when(value: Any) -> float:  # noqa: ANN401 - as above
    """Return seconds since 1970 for a number, or a time as text."""
    if isinstance(value, str):
        try:
            return float(value) if value.replace(".", "", 1).isdigit() else _from_text(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{value[:40]!r} is no time") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"it has no time, as {TIME_FIELDS[0]!r}")
    return value / 1000 if value > _MILLISECONDS else float(value)


def _from_text(value: str) -> float:
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        when = datetime.strptime(value, _CLF_TIME)  # noqa: DTZ007 - as above
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _spread(raws: list[Raw]) -> Iterator[Raw]:
    """Spread requests of one instant evenly until the next second, where the log tells whole seconds."""
    whole = all(raw.time_s == int(raw.time_s) for raw in raws)
    for when, group in groupby(sorted(raws, key=lambda raw: raw.time_s), key=lambda raw: raw.time_s):
        same = list(group)
        for place, raw in enumerate(same):
            share = place / len(same) if whole else 0.0
            yield Raw(raw.where, when + share, raw.method, raw.url, raw.headers, raw.body)
