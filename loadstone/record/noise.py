"""What was measured of a machine's noise, kept for the plans of later runs.

One file holds a profile for each machine, by fingerprint: a folder that several
machines share serves each with its own, and a profile of another machine is never used.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.folder import write_atomically

FILE = "noise.json"
VERSION = 1
"""Raised when profiles of an older loadstone must not be used any more."""


class NoiseProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's noise floor: what comparing a small server with itself showed."""

    fingerprint: str
    """Of the machine, as in `Machine`."""
    measured_at: str
    """ISO 8601, UTC."""
    loadstone_version: str
    tracks: int
    pinned: bool
    generations: int
    generation_s: float
    pairs: int
    """Over all generations."""
    request_s: float
    """Mean service time of the requests that were sent."""
    pair_sd: float
    """SD of one pair's log ratio at one pace; over n pairs it is divided by the root of n."""
    start_sd: float
    """SD of a generation's log ratio between starts, shrunk towards what is usual."""
    start_sd_low: float
    start_sd_high: float
    """90% credible interval."""
    start_sd_moment: float
    """The same, not shrunk: 0 where the generations differed by no more than their pairs explain."""
    turnover_s: float
    """What a generation cost beside measuring, of a server that is up at once."""
    pair_overhead_s: float
    """What a pair cost beside its requests."""
    pace_explained: float
    """Share of the variance within pairs that the core's pace accounts for."""
    steal: float | None
    """Share of the CPU time that the hypervisor gave to others; None: unknown."""
    others_busy: float
    """Share of the CPU that other programs used right before."""

    @property
    def date(self) -> str:
        """The day of the measurement."""
        return self.measured_at[:10]


class _Profiles(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    profiles: list[NoiseProfile]


def user_folder() -> Path:
    """Return the folder of what is kept for the user, for no project in particular."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "loadstone"


def save_profile(folder: Path, profile: NoiseProfile) -> Path:
    """Keep a profile in `folder`, in place of an older one of its machine; return the file.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    path = folder / FILE
    others = [one for one in _read(path) if one.fingerprint != profile.fingerprint]
    kept = _Profiles(version=VERSION, profiles=[*others, profile])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    except OSError as error:
        raise ConfigurationError(
            f"the noise profile cannot be kept in {folder}", cause=str(error), remedy="make it writable"
        ) from error
    return path


def find_profile(folders: Iterable[Path], fingerprint: str) -> NoiseProfile | None:
    """Return the newest profile of the machine in `folders`; None: it was never measured."""
    found = [one for folder in folders for one in _read(folder / FILE) if one.fingerprint == fingerprint]
    return max(found, key=lambda one: one.measured_at, default=None)


def forget_profiles(folder: Path, *, dry_run: bool = False) -> list[Path]:
    """Remove the profiles kept in `folder`; return the file, if there was one."""
    path = folder / FILE
    if not path.exists():
        return []
    if not dry_run:
        path.unlink()
    return [path]


def _read(path: Path) -> list[NoiseProfile]:
    """Return the profiles of a file; none where there is no such file, or it is damaged or too old."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Profiles)
    except (OSError, msgspec.DecodeError):
        return []
    return kept.profiles if kept.version == VERSION else []
