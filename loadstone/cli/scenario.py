"""`loadstone scenario`: Locust files from recorded traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loadstone.cli.shared import out
from loadstone.workload.replay.access_log import read_log
from loadstone.workload.replay.entries import Raw, take
from loadstone.workload.replay.har import read_har
from loadstone.workload.replay.scenario import write_scenario

F = TypeVar("F", bound=Callable[..., Any])
EPILOG = """\b
Examples:
  loadstone scenario from-har checkout.har --out scenarios/checkout_day.py
  loadstone scenario from-log access.log --host shop.example
  loadstone load --scenario scenarios/checkout_day.py --rate replay:scenarios/checkout_day.requests.jsonl
"""


@click.group("scenario", epilog=EPILOG)
def command() -> None:
    """Write a scenario from a HAR file or an access log, with the arrival times kept."""


def _shared(function: F) -> F:
    """Add what both commands take."""
    for option in (
        click.option("--force", is_flag=True, help="Overwrite files that exist."),
        click.option(
            "--keep-secrets", is_flag=True, help="Copy cookies, authorization and fields with telling names."
        ),
        click.option("--host", help="Take requests to this host; the most frequent one by default."),
        click.option(
            "--out",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The Locust file; named after FILE.",
        ),
        click.argument("file", type=click.Path(path_type=Path, dir_okay=False)),
    ):
        function = option(function)
    return function


@command.command("from-har")
@_shared
def from_har(file: Path, out: Path | None, host: str | None, keep_secrets: bool, force: bool) -> int:
    """Replay the requests of a HAR FILE, saved by a browser or a proxy."""
    return _write(read_har(file), Counter(), file, out, host, secrets=keep_secrets, force=force)


@command.command("from-log")
@click.option("--skip-bad", is_flag=True, help="Leave out lines that cannot be read.")
@_shared
def from_log(
    file: Path, out: Path | None, host: str | None, keep_secrets: bool, force: bool, skip_bad: bool
) -> int:
    """Replay the requests of an access log FILE: common, combined, or JSON lines."""
    left_out: Counter[str] = Counter()
    raws = read_log(file, left_out, skip_bad=skip_bad)
    return _write(raws, left_out, file, out, host, secrets=keep_secrets, force=force)


def _write(
    raws: list[Raw],
    left_out: Counter[str],
    file: Path,
    target: Path | None,
    host: str | None,
    *,
    secrets: bool,
    force: bool,
) -> int:
    taken = take(raws, host=host, secrets=secrets)
    stem = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in file.stem)
    scenario, data = write_scenario(
        taken.entries, target or Path("scenarios") / f"{stem or 'replay'}.py", overwrite=force
    )
    left = [f"{count} {reason}" for reason, count in (left_out + taken.left_out).items() if count]
    length = taken.entries[-1].at
    of_host = f" of {taken.host}" if taken.host else ""
    console = out()
    for line in (
        f"{scenario}: {len(taken.entries)} requests{of_host} in {length:.1f} s, in {data.name}",
        f"left out: {', '.join(left)}" if left else "nothing was left out",
        f"run it: loadstone load --scenario {scenario} --rate replay:{data}",
    ):
        console.print(line, markup=False, soft_wrap=True)
    return 0
