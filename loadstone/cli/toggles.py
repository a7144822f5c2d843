"""`loadstone toggles`: what the target can be compared by."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Table

from loadstone.cli.shared import config_option, open_project, out
from loadstone.config.expectations import Expectation
from loadstone.config.load import suggest
from loadstone.config.model import Toggle
from loadstone.errors import ConfigurationError
from loadstone.report.quantities import bound
from loadstone.report.wording import FACT_LABELS, metric_label

EPILOG = """\b
Examples:
  loadstone toggles
  loadstone toggles indexes
  loadstone toggles --json
"""


@click.command("toggles", epilog=EPILOG)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@config_option
def command(name: str | None, config: Path | None, *, as_json: bool) -> None:
    """List the target's toggles: choices, default, claim and price."""
    project = open_project(config)
    chosen = project.toggles
    if name is not None:
        if name not in chosen:
            raise ConfigurationError(f"unknown toggle {name!r}", remedy=suggest(name, chosen))
        chosen = {name: chosen[name]}
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(list(chosen.values())), indent=2))
    elif name is not None:
        _show_one(chosen[name])
    else:
        _show_all(chosen)


def _show_all(toggles: dict[str, Toggle]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("toggle", "choices (default in parentheses)", "scope", "claim"):
        table.add_column(title, overflow="fold")
    for toggle in toggles.values():
        table.add_row(toggle.name, _choices(toggle), str(toggle.scope), toggle.claim)
    out().print(table)


def _show_one(toggle: Toggle) -> None:
    console = out()
    console.print(f"[bold]{toggle.name}[/bold]  {toggle.title}")
    console.print(f"choices   {_choices(toggle)}")
    console.print(f"scope     {toggle.scope}, environment variable {toggle.env}")
    for title, text, expected in (
        ("claim", toggle.claim, toggle.claims),
        ("price", toggle.price, toggle.prices),
    ):
        console.print(f"{title}     {text}", markup=False)
        for one in expected.values():
            console.print(f"  {one.after}: {tell(one)}", markup=False)
    for choice, variable in toggle.needs.items():
        console.print(f"needs     {choice}: {variable}, or it is not available here", markup=False)
    if toggle.scenario:
        console.print(f"scenario  {toggle.scenario}")
    for choice, statements in toggle.ddl.items():
        for statement in statements:
            console.print(f"ddl       {choice}: {statement}", markup=False)


def tell(expected: Expectation) -> str:
    """Return `against naive, mean latency lower by at least 30% (catalogue, size small)`."""
    where = [Path(expected.scenario).stem if expected.scenario else "", expected.endpoint or ""]
    where += [f"size {expected.size}"] if expected.size else []
    where += [f"{name}={choice}" for name, choice in expected.given.items()]
    metric = FACT_LABELS.get(expected.metric) or metric_label(expected.metric)
    change = f"{metric} {expected.direction} by {bound(expected.at_least, expected.at_most)}"
    says = f". {expected.says}" if expected.says else ""
    return f"against {expected.before}, {change} ({', '.join(filter(None, where))}){says}"


def _choices(toggle: Toggle) -> str:
    return ", ".join(f"({one})" if one == toggle.default else one for one in toggle.choices)
