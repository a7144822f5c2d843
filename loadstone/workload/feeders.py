"""Rows of data for users: accounts, search terms, ids; from a CSV or JSON-lines file, or from a list.

    ACCOUNTS = Feeder.read("accounts.csv", order="once")

    class Customer(LeanHttpUser):
        def on_start(self):
            account = ACCOUNTS.next()
            self.client.post("/login", json={"name": account["name"], "password": account["password"]})

With several workers, each takes its share of the rows, unless they are drawn at random.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from locust.exception import StopUser

from loadstone.errors import ConfigurationError

Row = Mapping[str, Any]
Order = Literal["random", "circular", "once"]
SHARE_VARIABLE = "LOADSTONE_WORKER"
"""Holds `k/W` in worker k of W, counted from 0."""


class Feeder:
    """Hands out rows.

    Args:
        rows: at least one.
        order: `random` draws with the user's own random stream: twins of a comparison draw alike.
            `circular` hands them out in turn, over and over. `once` does so one time; a user
            that finds none left stops.
        share: (k, W): of `circular` and `once`, rows i with i mod W = k; of this process by default.
    """

    def __init__(
        self, rows: Sequence[Row], order: Order = "random", share: tuple[int, int] | None = None
    ) -> None:
        if not rows:
            raise ConfigurationError("a feeder needs at least one row")
        worker, workers = share or _share()
        self._rows = list(rows) if order == "random" else list(rows[worker::workers])
        if not self._rows:
            raise ConfigurationError(
                f"there are {len(rows)} rows for {workers} workers",
                remedy="give each worker at least one row",
            )
        self._order = order
        self._turn = self._in_turn()

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], order: Order = "random", share: tuple[int, int] | None = None
    ) -> Feeder:
        """Read a file: CSV with a line of names, or JSON lines where it ends in `.jsonl`.

        Raises:
            ConfigurationError: it cannot be read; with file and line.
        """
        file = Path(path)
        try:
            text = file.read_bytes().decode("utf-8-sig")  # as it is: newlines in fields count
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the rows in {file} cannot be read", cause=str(error)) from error
        return cls(_json_lines(file, text) if file.suffix == ".jsonl" else _csv(file, text), order, share)

    def __len__(self) -> int:
        """Return how many rows this process has."""
        return len(self._rows)

    def next(self) -> Row:
        """Return a row; raises `StopUser` when each was handed out once and that was wanted."""
        if self._order == "random":
            return random.choice(self._rows)  # noqa: S311 - of the user's own stream
        try:
            return next(self._turn)
        except StopIteration:
            raise StopUser from None

    def _in_turn(self) -> Iterator[Row]:
        while True:
            yield from self._rows
            if self._order == "once":
                return


def _share() -> tuple[int, int]:
    text = os.environ.get(SHARE_VARIABLE, "0/1")
    worker, _, workers = text.partition("/")
    try:
        share = int(worker), int(workers)
    except ValueError:
        share = (0, 0)
    if not 0 <= share[0] < share[1]:
        raise ConfigurationError(f"{SHARE_VARIABLE}={text!r} is no share", remedy="it should look like 0/4")
    return share


def _csv(file: Path, text: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise ConfigurationError(
                    f"a row in {file.name} has another number of fields than the first line",
                    cause=f"{file}:{reader.line_num}",
                )
            rows.append(row)
    except csv.Error as error:
        raise ConfigurationError(
            f"{file.name} is no CSV", cause=f"{file}:{reader.line_num}: {error}"
        ) from error
    return rows


def _json_lines(file: Path, text: str) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigurationError(f"{file.name} is damaged", cause=f"{file}:{number}: {error}") from error
        if not isinstance(row, dict):
            raise ConfigurationError(f"a line of {file.name} is no object", cause=f"{file}:{number}")
        rows.append(row)
    return rows
