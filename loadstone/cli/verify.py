"""`loadstone verify`: does a run's result follow from its sealed data?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Table
from rich.text import Text

from loadstone.cli.shared import config_option, find_run, out
from loadstone.errors import ExitCode
from loadstone.report import safe
from loadstone.verdict.capacity_verify import is_capacity, verify_capacity
from loadstone.verdict.load_verify import is_load_comparison, verify_load
from loadstone.verdict.verify import Verification, verify_run

EPILOG = """\b
Examples:
  loadstone verify
  loadstone verify reports/20260101T120000Z-orm-naive-orm-prefetch
  loadstone verify 20260101T120000Z-orm-naive-orm-prefetch --json
\b
Exit codes: 0 the same to the last bit, 2 no such run, 3 something differs or
sealed data were changed.
"""


@click.command("verify", epilog=EPILOG)
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
@config_option
def command(run: str | None, config: Path | None, *, as_json: bool) -> int:
    """Judge RUN (a folder or an id; by default the newest) again from its sealed data.

    Every contrast, check, fact, verdict and the exit code are computed anew from
    the journal and the chunks, and compared with result.json to the last bit; a
    search for capacity is walked again over its windows.
    """
    folder = find_run(run, config)
    if is_capacity(folder):
        found = verify_capacity(folder)
    else:
        found = verify_load(folder) if is_load_comparison(folder) else verify_run(folder)
    if as_json:
        told = {"same": found.same, **msgspec.to_builtins(found)}
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    else:
        _show(found)
    return int(ExitCode.OK if found.same else ExitCode.INVALID)


def _show(found: Verification) -> None:
    console = out()
    word = Text("✓ SAME", style="bold green") if found.same else Text("✗ DIFFERENT", style="bold red")
    console.print(word.append(f"  {safe.name(found.run)}", style="not bold default"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for step in found.steps:
        mark = Text("✓", style="green") if step.ok else Text("✗", style="red")
        table.add_row(mark, Text(step.name), Text(safe.name(step.message, 400)))
    difference = found.difference
    if difference is not None:
        place = f"{difference.field} ({difference.where})" if difference.where else difference.field
        table.add_row("", "field", Text(safe.name(place, 240)))
        table.add_row("", "recorded", Text(safe.name(difference.recorded)))
        table.add_row("", "recomputed", Text(safe.name(difference.recomputed)))
    table.add_row("", "not checked", Text(f"{', '.join(found.taken_as_recorded)}: as recorded", style="dim"))
    console.print(table)
