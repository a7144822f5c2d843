"""`loadstone micro`: micro-benchmarks of two commits, interleaved, by the statistics of the macro lanes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import click
from msgspec.structs import replace

from loadstone import __version__
from loadstone.cli.calls import check_json_path, console_beside, put_json
from loadstone.cli.shared import config_option, err, open_project, sources_of
from loadstone.config.load import Project
from loadstone.config.units import parse_share
from loadstone.config.variants import own_python
from loadstone.errors import ConfigurationError, ExitCode, MeasurementError
from loadstone.lanes.counting import count, why_not
from loadstone.lanes.micro import MicroPlan, MicroSide, MicroTables, read_folders, run_micro, this_python
from loadstone.record.folder import new_run_folder, write_atomically
from loadstone.record.machine import describe_machine
from loadstone.record.micro import MICRO, MicroResult, encode_micro, merge
from loadstone.report import micro as report
from loadstone.verdict.micro import judge_micro, verdict_of, with_instructions

EPILOG = """\b
Examples:
  loadstone micro main HEAD
  loadstone micro main . --generations 12 --margin 3%
  loadstone micro main HEAD --instructions
  loadstone micro runs/base runs/head        folders of pytest-benchmark's files, a pair a generation
\b
Both sides run the benchmarks of the project as it stands ([micro] of loadstone.toml), on their own code,
in fresh processes, in counterbalanced order. The folder of the run holds micro.json, and base.json and
head.json in pytest-benchmark's format, for pytest-benchmark compare.
Exit codes: 0 nothing failed, 1 a benchmark regressed with its estimate beyond the margin, 2 wrong use,
3 the benchmarks of a side fail, 4 inconclusive with --require-verdict.
"""


@click.command("micro", epilog=EPILOG)
@click.argument("base")
@click.argument("head")
@click.option("--generations", type=int, help="Even; by default micro.generations.")
@click.option("--margin", help="Smallest relative change that matters; by default micro.margin.")
@click.option(
    "--instructions",
    is_flag=True,
    help="Also count instructions under valgrind, in minutes: a second opinion, which decides nothing.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the order.")
@click.option("--require-verdict", is_flag=True, help="Exit with 4 when nothing is decided.")
@click.option("--json", "json_path", metavar="FILE", help="Also write the result here; - is standard output.")
@click.option("--reports", type=click.Path(path_type=Path, file_okay=False), help="Folder of runs.")
@click.option("--quiet", "-q", is_flag=True, help="No progress view.")
@config_option
def command(
    base: str,
    head: str,
    generations: int | None,
    margin: str | None,
    instructions: bool,
    seed: int,
    require_verdict: bool,
    json_path: str | None,
    reports: Path | None,
    quiet: bool,
    config: Path | None,
) -> int:
    """Compare the micro-benchmarks of BASE and HEAD, each a commit (`.`: as it stands)."""
    check_json_path(json_path)
    project = open_project(config)
    raw, begin = project.raw.micro, time.monotonic()
    console = err()
    console.quiet = quiet

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    sides, _ = None, parse_share(raw.count_tolerance)  # before anything is run
    folder = new_run_folder(reports or project.reports, f"micro {Path(base).name} {Path(head).name}")
    if Path(base).is_dir() and Path(head).is_dir() and base != "." and head != ".":
        if instructions:
            raise ConfigurationError(
                "instructions of files cannot be counted", remedy="leave out --instructions, or name commits"
            )
        tables = read_folders(Path(base), Path(head))
    else:
        plan = MicroPlan(
            command=raw.command,
            benchmarks=_benchmarks(project),
            env=raw.env,
            generations=generations or raw.generations,
            seed=seed,
        )
        sides = _sides(project, base, head, quiet=quiet)
        tables = run_micro(sides, plan, folder, say)
    parsed = parse_share(margin or raw.margin)
    result = _result(
        tables, base, head, parsed, parse_share(project.raw.compare.alpha), time.monotonic() - begin
    )
    if instructions and sides is not None:
        result = _counted(project, sides, result, folder, say)
    _write(folder, tables, result)
    _tell(result, json_path, lambda: click.echo(f"written to {folder}", err=json_path == "-"))
    if require_verdict and str(result.verdict) == "inconclusive":
        return int(ExitCode.INCONCLUSIVE)
    return result.exit_code


def _benchmarks(project: Project) -> Path:
    path = (project.root / project.raw.micro.benchmarks).resolve()
    if not path.exists():
        raise ConfigurationError(
            f"there are no benchmarks in {path}",
            remedy="write some for pytest-benchmark, and name their folder as micro.benchmarks",
        )
    return path


def _sides(project: Project, base: str, head: str, *, quiet: bool) -> tuple[MicroSide, MicroSide]:
    sources = sources_of(project, base, head, quiet=quiet)
    target = project.raw.target
    own = own_python(project) if target.python else this_python()
    first, second = (
        MicroSide(
            name=name,
            label=label,
            root=((source.root if source else project.root) / project.raw.micro.directory).resolve(),
            python=(source.python if source else None) or own,
        )
        for name, label, source in zip(("base", "head"), (base, head), sources, strict=True)
    )
    return first, second


def _counted(
    project: Project,
    sides: tuple[MicroSide, MicroSide],
    result: MicroResult,
    folder: Path,
    say: Callable[[str], None],
) -> MicroResult:
    """Return the result with instructions beside it, or with the reason why there are none."""
    raw, missing = project.raw.micro, why_not()
    tolerance = parse_share(raw.count_tolerance)
    if missing:
        return replace(result, uncounted=missing)
    try:
        counts = count(sides, raw.count_command, _benchmarks(project), raw.env, folder, say)
    except MeasurementError as error:  # what the clock found stands without
        return replace(result, uncounted=f"{error.problem}\n{error.cause}\n{error.remedy}")
    findings = with_instructions(result.findings, counts.calls, tolerance)
    return replace(result, findings=findings, count_tolerance=tolerance)


def _result(
    tables: MicroTables, base: str, head: str, margin: float, alpha: float, took_s: float
) -> MicroResult:
    findings = judge_micro(tables.levels, tables.groups, tables.positions, margin=margin, alpha=alpha)
    verdict, fails = verdict_of(findings, margin)
    machine = describe_machine()
    return MicroResult(
        loadstone_version=__version__,
        base=base,
        head=head,
        generations=int(tables.positions.shape[0]),
        margin=margin,
        alpha=alpha,
        verdict=verdict,
        exit_code=int(ExitCode.REGRESSED if fails else ExitCode.OK),
        machine=f"{machine.cpu_model}, {machine.cores} cores",
        took_s=round(took_s, 3),
        findings=findings,
    )


def _write(folder: Path, tables: MicroTables, result: MicroResult) -> None:
    write_atomically(folder / MICRO, encode_micro(result))
    for name, files in zip(("base", "head"), tables.files, strict=True):
        write_atomically(folder / f"{name}.json", json.dumps(merge(files)).encode())


def _tell(result: MicroResult, json_path: str | None, told: Callable[[], None]) -> None:
    report.render(result, console_beside(json_path))
    put_json(json_path, encode_micro(result))
    told()
