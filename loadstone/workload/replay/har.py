"""Requests of a HAR file (HTTP Archive 1.2), as browsers and proxies save it."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.workload.replay.entries import MOST_BYTES, MOST_ENTRIES, Raw


class _Header(msgspec.Struct):
    name: str
    value: str


class _Post(msgspec.Struct, rename="camel"):
    text: str = ""


class _Request(msgspec.Struct, rename="camel"):
    method: str
    url: str
    headers: list[_Header] = []
    post_data: _Post | None = None


class _Entry(msgspec.Struct, rename="camel"):
    started_date_time: str
    request: _Request


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Har(msgspec.Struct):
    log: _Log


def read_har(path: Path) -> list[Raw]:
    """Return the requests of a HAR file.

    Raises:
        ConfigurationError: it cannot be read or is none; names the entry.
    """
    data = read_bytes(path)
    try:
        har = msgspec.json.decode(data, type=_Har)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"{path.name} is no HAR file", cause=str(error), remedy="save it with the browser's network panel"
        ) from error
    if not 0 < len(har.log.entries) <= MOST_ENTRIES:
        raise ConfigurationError(
            f"{path.name} holds {len(har.log.entries)} requests", remedy="choose another"
        )
    return [
        Raw(
            where=f"entry {number} of {path.name}",
            time_s=_time(entry.started_date_time, f"entry {number} of {path.name}"),
            method=entry.request.method,
            url=entry.request.url,
            headers=tuple((header.name, header.value) for header in entry.request.headers),
            body=entry.request.post_data.text if entry.request.post_data else "",
        )
        for number, entry in enumerate(har.log.entries, start=1)
        if entry.request.url.split(":", 1)[0].lower() in {"http", "https"}
    ]


def read_bytes(path: Path) -> bytes:
    """Return a file's content; raises `ConfigurationError` when it cannot be read or is too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"{path} is larger than {MOST_BYTES >> 20} MiB", remedy="cut it")
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read", cause=str(error)) from error


def _time(text: str, where: str) -> float:
    try:
        seconds = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(
            f"{where} has no time", cause=f"{text[:60]!r}", remedy="record anew"
        ) from error
    if not math.isfinite(seconds):
        raise ConfigurationError(f"{where} has no time", cause=f"{text[:60]!r}", remedy="record anew")
    return seconds
