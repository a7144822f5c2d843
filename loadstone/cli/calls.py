"""What a call said: the command that repeats it, and where its result goes as JSON."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from loadstone.cli.shared import err, out
from loadstone.errors import ConfigurationError
from loadstone.record.folder import write_atomically

STANDARD_OUTPUT = "-"


def check_json_path(json_path: str | None) -> None:
    """Find out before the run, and not after it, whether the file can be written."""
    if not json_path or json_path == STANDARD_OUTPUT:
        return
    path = Path(json_path).absolute()
    if path.is_dir():
        cause = "it is a folder"
    elif not path.parent.is_dir():
        cause = "its folder does not exist"
    elif not os.access(path.parent, os.W_OK):
        cause = "its folder is not writable"
    else:
        return
    raise ConfigurationError(
        f"{json_path} cannot be written", cause=cause, remedy="name a file in a folder that can be written"
    )


def command_line() -> str:
    """Return the command that repeats this run; secrets in URLs are left to the environment."""
    words = ["loadstone", *sys.argv[1:]]
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in {"--database-url", "--redis-url"}:
            skip = True
        elif not word.startswith(("--database-url=", "--redis-url=")):
            kept.append(word)
    if not any(word == "--seed" or word.startswith("--seed=") for word in kept):
        kept += ["--seed", "1"]
    return shlex.join(kept)


def console_beside(json_path: str | None) -> Console:
    """Return where a summary goes: to standard error where standard output is for the JSON."""
    return err() if json_path == STANDARD_OUTPUT else out()


def put_json(json_path: str | None, data: bytes) -> None:
    """Write a result where `--json` says; nowhere where it was not given."""
    if json_path == STANDARD_OUTPUT:
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
    elif json_path:
        write_atomically(Path(json_path), data)
