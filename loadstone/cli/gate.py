"""`loadstone gate`: may this commit be merged? Base against head, by the rules of `[gate]`."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from loadstone.cli.calls import check_json_path
from loadstone.cli.options import run_options
from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, err, open_project, out, sources_of
from loadstone.config.allowed import named_twice
from loadstone.config.gate import GateConfig, compile_gate
from loadstone.config.load import Project
from loadstone.gate.annotations import annotate
from loadstone.gate.running import Gate, run_gate
from loadstone.gate.sides import Sides, find_sides
from loadstone.lanes.conductor import Options
from loadstone.record.folder import load_result, new_run_folder, write_atomically
from loadstone.record.gated import GATE, GateResult, encode_gate, load_gate
from loadstone.record.history import STORE, append, rows_of
from loadstone.report import gate_summary
from loadstone.report.exports import gate_junit

EPILOG = """\b
Examples:
  loadstone gate
  loadstone gate --base origin/main --head HEAD
  loadstone gate --exact-only                     queries, rows and bytes alone, in seconds
  loadstone gate --head . --only browse           the project as it stands
  loadstone gate --markdown gate.md --junit gate.xml --json gate.json
  loadstone gate --from gate.json --markdown -    show a result again, run nothing
\b
What is run, and what must hold, stands in [gate] of loadstone.toml; without it, one experiment of
compare.scenario. Exact facts come first: where one fails, nothing is timed. The base is the first parent
of a merge commit, else where head left the trunk, else its parent.
Exit codes: 0 nothing failed, 1 something failed (or was accepted until a day that is over), 2 wrong use,
3 an invalid measurement, 4 inconclusive where gate.inconclusive = "fail", 130 interrupted.
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the result is written beside the reports folder; `-` is standard output."""

    json: str | None
    markdown: str | None
    junit: str | None

    def check(self) -> None:
        """Find out before the run whether they can be written; raises `ConfigurationError`."""
        for path in (self.json, self.markdown, self.junit):
            check_json_path(path)

    @property
    def on_stdout(self) -> bool:
        """Whether one of them is standard output."""
        return "-" in {self.json, self.markdown, self.junit}


@click.command("gate", epilog=EPILOG)
@click.option("--base", help="The commit to compare with.")
@click.option("--head", default="HEAD", show_default=True, help="The commit that is to pass, or `.`.")
@click.option("--only", multiple=True, metavar="NAME", help="Experiments to run; by default all (repeat).")
@click.option("--exact-only", is_flag=True, help="Count queries, rows and bytes; time nothing.")
@click.option("--keep-going", is_flag=True, help="Time also where an exact fact has failed already.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all random draws.")
@click.option("--json", "json_path", metavar="FILE", help="Write the result here; - is standard output.")
@click.option("--markdown", "markdown_path", metavar="FILE", help="Write a summary for a pull request here.")
@click.option("--junit", "junit_path", metavar="FILE", help="Write JUnit XML here.")
@click.option(
    "--annotate/--no-annotate",
    "annotated",
    default=None,
    help="Print annotations for GitHub; by default where GITHUB_ACTIONS is set.",
)
@click.option("--from", "given", type=click.Path(path_type=Path), help="Show this gate.json and run nothing.")
@click.option("--record", is_flag=True, help="Add the runs to the history in the reports folder.")
@run_options
@config_option
def command(
    base: str | None,
    head: str,
    only: tuple[str, ...],
    exact_only: bool,
    keep_going: bool,
    seed: int,
    json_path: str | None,
    markdown_path: str | None,
    junit_path: str | None,
    annotated: bool | None,
    given: Path | None,
    record: bool,
    reports: Path | None,
    database_url: str | None,
    redis_url: str | None,
    allow_host: tuple[str, ...],
    quiet: bool,
    config: Path | None,
) -> int:
    """Compare base with head by the rules of [gate], and say whether head may pass."""
    places = Places(json_path, markdown_path, junit_path)
    places.check()
    if given is not None:
        _tell(load_gate(given), places, where=str(given), annotated=bool(annotated))
        return 0
    project = open_project(config)
    gated = compile_gate(project, only, probe_only=exact_only)
    sides = find_sides(project.root, base, head)
    folder = reports or project.reports
    options = Options(
        state=project.state,
        reports=folder,
        command=_command(sides, only, exact_only=exact_only, seed=seed),
        database_url=database_url,
        redis_url=redis_url,
        allowed_hosts=named_twice(project, allow_host),
    )
    gate = _gate(project, gated, sides, options, seed=seed, keep_going=keep_going, quiet=quiet)
    result = run_gate(gate)
    if record:
        for name in (run for one in result.experiments for run in one.runs[-1:]):
            append(folder / STORE, rows_of(load_result(folder / name)))
    own = new_run_folder(folder, "gate")
    write_atomically(own / GATE, encode_gate(result))
    write_atomically(own / "gate.md", gate_summary.markdown(result).encode())
    write_atomically(own / "gate.xml", gate_junit.render(result).encode())
    on_github = bool(os.environ.get("GITHUB_ACTIONS"))
    _tell(result, places, where=str(own), annotated=on_github if annotated is None else annotated)
    return result.exit_code


def _gate(
    project: Project,
    gated: GateConfig,
    sides: Sides,
    options: Options,
    *,
    seed: int,
    keep_going: bool,
    quiet: bool,
) -> Gate:
    console = err()
    console.quiet = quiet
    sources = sources_of(
        project, sides.base.commit or sides.base.ref, sides.head.commit or sides.head.ref, quiet=quiet
    )
    return Gate(
        project=project,
        config=gated,
        sides=sides,
        sources=sources,
        options=options,
        view=lambda: progress_view(quiet=quiet),
        say=lambda text: console.print(text, markup=False, soft_wrap=True),
        today=datetime.now(UTC).date(),
        seed=seed,
        keep_going=keep_going,
    )


def _command(sides: Sides, only: tuple[str, ...], *, exact_only: bool, seed: int) -> str:
    """Return the command that repeats the gate on the same commits."""
    words = ["loadstone", "gate", "--base", sides.base.commit, "--head", sides.head.commit or "."]
    words += [word for name in only for word in ("--only", name)]
    return shlex.join([*words, *(["--exact-only"] if exact_only else []), "--seed", str(seed)])


def _tell(result: GateResult, places: Places, *, where: str, annotated: bool) -> None:
    """Print the result, write the files, and annotate."""
    for path, text in (
        (places.json, encode_gate(result).decode()),
        (places.markdown, gate_summary.markdown(result)),
        (places.junit, gate_junit.render(result)),
    ):
        if path == "-":
            sys.stdout.write(text)
        elif path:
            write_atomically(Path(path), text.encode())
    gate_summary.render(result, err() if places.on_stdout else out(), where=where)
    for line in annotate(result) if annotated else ():
        click.echo(line)
