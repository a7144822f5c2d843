"""What became of claims and prices: a versioned record beside the runs that tried them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.base import Record
from loadstone.record.folder import write_atomically

PROOF_VERSION = "1.0"


class Proven(StrEnum):
    """What a comparison says of what was expected."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


class Finding(Record, frozen=True, kw_only=True):
    """The change that was found, as fractions of *before*, and what follows from it."""

    proven: Proven
    before: float | None = None
    after: float | None = None
    unit: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    """Of the interval; None where the change is counted exactly."""
    reason: str = ""


class Entry(Record, frozen=True, kw_only=True):
    """One claim or price, what was expected of it, and what was found."""

    key: str
    """Of the declaration, size and budget."""
    commit: str
    toggle: str
    kind: str
    before: str
    after: str
    metric: str
    direction: str
    at_least: float
    at_most: float | None = None
    """In place of `at_least`, where the change must not be larger."""
    scenario: str
    endpoint: str | None
    size: str
    budget: str
    says: str
    finding: Finding
    run: str
    """Name of the run's folder."""
    command: str
    """The comparison, by itself."""
    took_s: float
    at: str
    machine: str


class Proof(Record, frozen=True, kw_only=True):
    """All entries, in the order in which they are declared."""

    proof_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")] = PROOF_VERSION
    entries: list[Entry]


def load_proof(path: Path) -> Proof:
    """Return what a file holds, nothing where there is none.

    Raises:
        ConfigurationError: the file is no proof that this version reads.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Proof)
    except FileNotFoundError:
        return Proof(entries=[])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"{path} is no proof that this version reads",
            cause=str(error),
            remedy="name another file with --out, or remove this one",
        ) from error


def save_proof(path: Path, proof: Proof) -> None:
    """Write a proof as indented JSON."""
    write_atomically(path, encode_proof(proof))


def encode_proof(proof: Proof) -> bytes:
    """Return a proof as indented JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n"
