"""Grades of a number: good, doubtful, or not to be believed."""

from __future__ import annotations

from loadstone.record.result import Check, CheckStatus


def graded(name: str, value: float, limits: tuple[float, float], message: str, remedy: str) -> Check:
    """Return a check that warns above the first limit and fails above the second."""
    warn, fail = limits
    status = CheckStatus.FAIL if value > fail else CheckStatus.WARN if value > warn else CheckStatus.OK
    return Check(
        name=name,
        status=status,
        message=message,
        remedy="" if status is CheckStatus.OK else remedy,
        value=value,
    )
