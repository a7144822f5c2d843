"""`loadstone prove`: do the choices gain and cost what their toggles declare?"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, err, open_project, out
from loadstone.config.compile import compile_experiment
from loadstone.config.load import Project, unavailable
from loadstone.config.trials import Kind, Trial, command_for, find_trials, wish_for
from loadstone.errors import ConfigurationError, ExitCode
from loadstone.lanes.conductor import Options, Outcome, conduct
from loadstone.record.folder import write_atomically
from loadstone.record.proof import Entry, Proof, Proven, encode_proof, load_proof, save_proof
from loadstone.report import proof as report
from loadstone.verdict.proof import find

EPILOG = """\b
Examples:
  loadstone prove orm
  loadstone prove cache throttle --budget 90s
  loadstone prove indexes=covering --only prices
  loadstone prove --list
  loadstone prove --out docs/claims --into README.md
\b
Each claim and price is one comparison, as `loadstone compare` runs it; --list shows them. What the
output already holds for the same commit is not run again: an interrupted table is gone on with.
Exit codes: 0 nothing failed, 1 something is not confirmed, 2 wrong use, 3 an invalid measurement,
4 inconclusive with --require-verdict, 130 interrupted (what was found is kept).
"""


@click.command("prove", epilog=EPILOG)
@click.argument("toggles", nargs=-1)
@click.option("--budget", help="Time to measure each for, such as 90s; by default compare.budget.")
@click.option("--size", help="Dataset size for all, instead of what each declares.")
@click.option("--only", type=click.Choice(["claims", "prices"]), help="Leave the others out.")
@click.option(
    "--out",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write, without suffix: FILE.json and FILE.md; by default claims in the reports folder.",
)
@click.option(
    "--into",
    "page",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Write all that is known into this Markdown page too, between the marks that it has for it.",
)
@click.option("--again", is_flag=True, help="Run also what the output holds already.")
@click.option("--list", "only_list", is_flag=True, help="Show the comparisons, and run none.")
@click.option("--require-verdict", is_flag=True, help="Exit with 4 when something is inconclusive.")
@click.option("--json", "as_json", is_flag=True, help="Print the proof as JSON on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="No progress view.")
@config_option
def command(
    toggles: tuple[str, ...],
    budget: str | None,
    size: str | None,
    only: str | None,
    path: Path | None,
    page: Path | None,
    again: bool,
    only_list: bool,
    require_verdict: bool,
    as_json: bool,
    quiet: bool,
    config: Path | None,
) -> int:
    """Run what TOGGLES claim and cost (names, or TOGGLE=CHOICE; by default all), and say what holds."""
    project = open_project(config)
    kinds = [kind for kind in Kind if only in {None, f"{kind}s"}]
    trials = _available(project, find_trials(project, toggles, kinds, size=size, budget=budget))
    for trial in trials:  # a mistake is told before an hour is spent
        compile_experiment(project, wish_for(trial))
    if only_list:
        click.echo("\n".join(command_for(trial) for trial in trials))
        return int(ExitCode.OK)
    target = path or project.reports / "claims"
    files = target.with_suffix(".json"), target.with_suffix(".md")
    _check_folder(target)
    commit = _commit(project.root, (*files, *([page] if page else [])))
    held = {one.key: one for one in load_proof(files[0]).entries}
    known = {} if again else {key: one for key, one in held.items() if one.commit == commit}
    if page:  # a mistake is told before an hour is spent
        _placed(page, Proof(entries=[]))
    code, mine = _run_all(project, trials, held, known, files, commit, quiet=quiet)
    if page:
        write_atomically(page, _placed(page, load_proof(files[0])).encode())
    if as_json:
        click.echo(encode_proof(mine).decode(), nl=False)
    else:
        report.render(mine, out())
        click.echo(f"written to {files[1]} and {files[0]}")
    return code or _exit_code(mine, require_verdict=require_verdict)


def _available(project: Project, trials: list[Trial]) -> list[Trial]:
    """Return what can be tried here, and say what cannot."""
    found = []
    for trial in trials:
        choices = ((trial.toggle, trial.expected.before), (trial.toggle, trial.expected.after))
        reasons = [unavailable(project, *one) for one in choices]
        if any(reasons):
            told = next(filter(None, reasons))
            _say(err(), f"not available here: {trial.kind} of {trial.after}: {told}", quiet=False)
        else:
            found.append(trial)
    if not found:
        raise ConfigurationError(
            "nothing of this can be tried here", remedy="see `loadstone toggles TOGGLE` for what it needs"
        )
    return found


def _run_all(
    project: Project,
    trials: list[Trial],
    held: dict[str, Entry],
    known: dict[str, Entry],
    files: tuple[Path, Path],
    commit: str,
    *,
    quiet: bool,
) -> tuple[int, Proof]:
    """Run what is not known, write after each, and return an exit code where it was ended early."""
    console, code = err(), 0
    mine: list[Entry] = []
    for number, trial in enumerate(trials, start=1):
        _say(console, f"[{number}/{len(trials)}] {trial.kind}: {command_for(trial)}", quiet=quiet)
        if trial.key in known:
            _say(console, f"known for this commit: {known[trial.key].finding.proven}", quiet=quiet)
            mine.append(known[trial.key])
            continue
        outcome = _compare(project, trial, quiet=quiet)
        if outcome.interrupted:
            code = int(ExitCode.INTERRUPTED)
            break
        entry = _entry(trial, outcome, commit)
        _say(console, f"{entry.finding.proven}: {trial.after} {entry.finding.reason}", quiet=quiet)
        mine.append(entry)
        held[trial.key] = entry
        _write(project, held, files)
    return code, Proof(entries=mine)


def _compare(project: Project, trial: Trial, *, quiet: bool) -> Outcome:
    options = Options(state=project.state, reports=project.reports, command=command_for(trial))
    with progress_view(quiet=quiet) as view:
        return conduct(compile_experiment(project, wish_for(trial)), options, view)


def _entry(trial: Trial, outcome: Outcome, commit: str) -> Entry:
    expected, run, machine = trial.expected, outcome.result.run, outcome.result.machine
    return Entry(
        key=trial.key,
        commit=commit,
        toggle=trial.toggle,
        kind=str(trial.kind),
        before=trial.before,
        after=trial.after,
        metric=expected.metric,
        direction=str(expected.direction),
        at_least=expected.at_least,
        at_most=expected.at_most,
        scenario=str(expected.scenario),
        endpoint=expected.endpoint,
        size=trial.size,
        budget=trial.budget,
        says=expected.says,
        finding=find(outcome.result, expected),
        run=run.id,
        command=command_for(trial),
        took_s=run.duration_s,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{machine.cpu_model}, {machine.cores} cores",
    )


def _write(project: Project, held: dict[str, Entry], files: tuple[Path, Path]) -> None:
    """Write the last finding of everything that is still declared, in that order."""
    last = {(one.kind, one.after): one for one in held.values()}
    declared = [(str(one.kind), one.after) for one in find_trials(project, (), tuple(Kind))]
    proof = Proof(entries=[last[one] for one in sorted(declared, key=lambda each: each[0]) if one in last])
    save_proof(files[0], proof)
    write_atomically(files[1], report.markdown(proof).encode())


def _placed(page: Path, proof: Proof) -> str:
    return report.place(page.read_text(encoding="utf-8"), proof, page.name)


def _commit(root: Path, files: tuple[Path, ...]) -> str:
    """Return the commit of the project; with changes, or without git, a name that no other run has."""
    others = [f":(exclude,top){name}" for name in _within(root, files)]
    try:
        head, changed = (
            subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no", "--", ".", *others],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return f"unknown at {datetime.now(UTC).isoformat()}"
    return f"{head} with changes at {datetime.now(UTC).isoformat()}" if changed else head


def _within(root: Path, files: tuple[Path, ...]) -> list[str]:
    top = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False
    ).stdout.strip()
    resolved = [file.resolve() for file in files]
    return [str(one.relative_to(top)) for one in resolved if top and one.is_relative_to(top)]


def _check_folder(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{target} cannot be written", cause=str(error), remedy="name another file with --out"
        ) from error


def _exit_code(proof: Proof, *, require_verdict: bool) -> int:
    found = {one.finding.proven for one in proof.entries}
    if Proven.NOT_CONFIRMED in found:
        return int(ExitCode.REGRESSED)
    if Proven.INVALID in found:
        return int(ExitCode.INVALID)
    open_ = require_verdict and Proven.INCONCLUSIVE in found
    return int(ExitCode.INCONCLUSIVE if open_ else ExitCode.OK)


def _say(console: Console, text: str, *, quiet: bool) -> None:
    if not quiet:
        console.print(text, markup=False, soft_wrap=True)
