"""Counts what passes between a server and Redis, command by command."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.explain.redis_commands import CONTROL
from loadstone.explain.redis_connection import Completion, RedisConnection
from loadstone.explain.relay import Observer
from loadstone.explain.tap import Tap


@dataclass(frozen=True, slots=True)
class RedisCommand:
    """One command as Redis answered it. It holds no value, and keys as patterns only."""

    connection: int
    """Counts connections of this tap from 1."""
    name: str
    """In upper case."""
    key_pattern: str
    """The first key with its variable parts as `*`; empty for commands without keys."""
    control: bool
    """Steers the connection or a transaction (HELLO, SELECT, MULTI, EXEC, ...): no cache operation."""
    bytes_in: int
    """Size of the command."""
    bytes_out: int
    """Size of its reply; inside MULTI, of `+QUEUED` and its part of the reply to EXEC."""
    hits: int
    """Values found by GET, GETEX, GETDEL, HGET, MGET or HMGET."""
    misses: int
    """Values that these did not find."""
    duration_us: int = 0
    """From the command to the end of its reply, at the tap: diagnostic only."""
    error: str = ""
    """First word of an error reply; DISCARD or EXECABORT when it never ran; `closed` without a reply."""


class RedisTap(Tap[RedisCommand]):
    """A Redis proxy that knows every command, its bytes, and whether it hit or missed."""

    def _observe(self, number: int) -> Observer:
        def completed(completion: Completion) -> None:
            self._add(
                RedisCommand(
                    connection=number,
                    name=completion.name,
                    key_pattern=completion.key_pattern,
                    control=completion.name in CONTROL,
                    bytes_in=completion.bytes_in,
                    bytes_out=completion.bytes_out,
                    hits=completion.hits,
                    misses=completion.misses,
                    duration_us=completion.duration_us,
                    error=completion.error,
                )
            )

        return RedisConnection(completed)
