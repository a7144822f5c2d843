"""The one family of errors that a user sees: problem, cause, remedy."""

from __future__ import annotations

import os
from enum import IntEnum

from loadstone.secrecy import clean, telling_values


class ExitCode(IntEnum):
    """Process exit codes; the CLI, the docs and CI read them from here."""

    OK = 0
    REGRESSED = 1
    USAGE = 2
    INVALID = 3
    INCONCLUSIVE = 4
    INTERRUPTED = 130


class LoadstoneError(Exception):
    """Base of every error that ends a command.

    Args:
        problem: what is wrong, in one sentence, naming the thing.
        cause: why, as far as is known (a file and line, a system error, a log's tail).
        remedy: what the user can do about it.

    Errors end in journals, reports and logs: what shows itself to be a secret is left out of all three.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, problem: str, *, cause: str = "", remedy: str = "") -> None:
        secrets = telling_values(os.environ)
        self.problem, self.cause, self.remedy = (clean(text, *secrets) for text in (problem, cause, remedy))
        super().__init__(self.problem)

    def __str__(self) -> str:
        """Return problem, cause and remedy, a line each."""
        lines = [self.problem]
        if self.cause:
            lines.append(f"cause: {self.cause}")
        if self.remedy:
            lines.append(f"remedy: {self.remedy}")
        return "\n".join(lines)


class ConfigurationError(LoadstoneError):
    """Bad `loadstone.toml`, toggles or command line; `cause` bears file and line."""


class TargetError(LoadstoneError):
    """A service, recipe or variant did not come up or went away."""

    exit_code = ExitCode.INVALID


class MeasurementError(LoadstoneError):
    """What was measured must not be believed."""

    exit_code = ExitCode.INVALID
