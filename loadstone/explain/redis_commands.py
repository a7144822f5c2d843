"""What the tap must know of Redis commands: where keys are, what reads, what only steers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loadstone.explain.words import words

CONTROL = words(
    "ASKING AUTH CLIENT COMMAND DISCARD EXEC HELLO INFO MULTI PING QUIT READONLY READWRITE RESET SELECT"
    " UNWATCH WATCH"
)
"""Commands that steer the connection or a transaction and touch no cached value."""

READS_ONE = words("GET GETDEL GETEX HGET")
"""A null reply is a miss."""
READS_MANY = words("HMGET MGET")
"""Each null element of the reply is a miss."""

SUBSCRIBING = words("PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE")

_KEYLESS = CONTROL | words(
    "ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DBSIZE DEBUG ECHO FAILOVER FLUSHALL FLUSHDB FUNCTION KEYS"
    " LASTSAVE LATENCY MODULE MONITOR PSYNC RANDOMKEY ROLE SAVE SCAN SCRIPT SHUTDOWN SLOWLOG SWAPDB SYNC TIME"
    " WAIT WAITAOF"
)
_KEY_AT_TWO = words("BITOP MEMORY OBJECT XGROUP XINFO")
_KEY_AFTER_COUNT = {"EVAL": 2, "EVALSHA": 2, "EVALSHA_RO": 2, "EVAL_RO": 2, "FCALL": 2, "FCALL_RO": 2,
                    "BLMPOP": 2, "BZMPOP": 2, "LMPOP": 1, "SINTERCARD": 1, "ZDIFF": 1, "ZINTER": 1,
                    "ZINTERCARD": 1, "ZMPOP": 1, "ZUNION": 1}  # fmt: skip
"""Where the number of keys stands, right before the keys."""
_KEY_AFTER_WORD = frozenset({"XREAD", "XREADGROUP"})

_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<![0-9a-zA-Z])[0-9a-fA-F]{16,}(?![0-9a-zA-Z])|\d+"
)
PATTERN_CHARACTERS = 200


def key_pattern(arguments: Sequence[bytes]) -> str:
    """Return the command's first key with numbers, UUIDs and long hexadecimal runs as `*`.

    Args:
        arguments: the command's words, its name first.
    """
    key = _first_key(arguments)
    return _VARIABLE.sub("*", key.decode("utf-8", "backslashreplace"))[:PATTERN_CHARACTERS]


def command_name(arguments: Sequence[bytes]) -> str:
    """Return the command's name in upper case."""
    return arguments[0].decode("ascii", "backslashreplace").upper() if arguments else ""


def _first_key(arguments: Sequence[bytes]) -> bytes:
    name = command_name(arguments)
    if name in _KEYLESS:
        return b""
    at = 2 if name in _KEY_AT_TWO else 1
    if name in _KEY_AFTER_COUNT:
        count_at = _KEY_AFTER_COUNT[name]
        if arguments[count_at : count_at + 1] == [b"0"]:
            return b""
        at = count_at + 1
    elif name in _KEY_AFTER_WORD:
        words = [argument.upper() for argument in arguments]
        at = words.index(b"STREAMS") + 1 if b"STREAMS" in words else len(arguments)
    return arguments[at] if at < len(arguments) else b""
