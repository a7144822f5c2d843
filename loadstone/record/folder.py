"""The folder of a run under `reports/`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.result import Result, decode, encode

RESULT = "result.json"
CAPACITY_RESULT = "capacity.json"
LOAD_RESULT = "load.json"
MATRIX_RESULT = "matrix.json"
PAGE = "report.html"
MARKDOWN = "report.md"
SLUG_LENGTH = 60


def new_run_folder(reports: Path, title: str, now: datetime | None = None) -> Path:
    """Create `reports/<time>-<slug>/` and return it; raises `ConfigurationError` when it cannot."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:SLUG_LENGTH].rstrip("-") or "run"
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    try:
        reports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(reports, error) from error
    for attempt in range(100):
        suffix = f"-{attempt + 1}" if attempt else ""
        folder = reports / f"{stamp}-{slug}{suffix}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(reports, error) from error
        _probe_writable(folder, reports)
        return folder
    raise ConfigurationError(f"no free folder name for {stamp}-{slug} in {reports}")


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a half."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_result(folder: Path, result: Result) -> Path:
    """Write `result.json` and return its path."""
    path = folder / RESULT
    write_atomically(path, encode(result))
    return path


def load_result(run: Path) -> Result:
    """Return the result of a run given by its folder or by its `result.json`.

    Raises:
        ConfigurationError: there is none, or it is of another version or damaged.
    """
    path = run / RESULT if run.is_dir() else run
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"there is no result in {run}", cause=str(error), remedy="name a run folder under reports/"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"{path} is no result that this version reads",
            cause=str(error),
            remedy="read it with the version of Loadstone that wrote it",
        ) from error


def latest_run(reports: Path, names: Iterable[str] = (RESULT, CAPACITY_RESULT)) -> Path:
    """Return the newest finished run that holds a result of one of `names`.

    Raises:
        ConfigurationError: there is none.
    """
    runs = sorted(path.parent for name in names for path in reports.glob(f"*/{name}"))
    if not runs:
        raise ConfigurationError(f"there is no run in {reports}", remedy="make one with loadstone compare")
    return runs[-1]


def _probe_writable(folder: Path, reports: Path) -> None:
    try:
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(reports, error) from error


def _unwritable(reports: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the report folder {reports} cannot be written",
        cause=str(error),
        remedy="make it writable, or name another with --reports",
    )
