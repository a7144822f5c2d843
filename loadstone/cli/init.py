"""`loadstone init`: somebody's repository under test, with a configuration and a scenario to start from."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from loadstone.cli.beginnings import SCENARIO, of_command, of_django
from loadstone.cli.progress import progress_view
from loadstone.cli.shared import err, out
from loadstone.config import starting
from loadstone.config.compile import Wish, compile_experiment, compile_variant
from loadstone.config.load import FILE_NAME, Project, load_project
from loadstone.config.openapi import Endpoint, parse_schema, reading_endpoints
from loadstone.errors import ConfigurationError, ExitCode, MeasurementError
from loadstone.lanes.conductor import Options, conduct
from loadstone.record.folder import write_atomically
from loadstone.report import terminal
from loadstone.target.tryout import Tried, try_out

CHECK = "1m"
LARGEST = 5_000_000
EPILOG = """\b
Examples:
  loadstone init                                       a Django project, found by its manage.py
  loadstone init --command "uvicorn app:app --port {port}"
  loadstone init --command "node server.js {port}" --health /ready
  loadstone init --command "./server -p {port}" --openapi /v1/openapi.json
  loadstone init --no-check                            write, and start nothing
\b
It writes loadstone.toml and scenarios/start.py (for Django also loadstone_settings.py), and overwrites
nothing without --force. Then it starts the app, asks it what it answers, and compares it with itself for
at most a minute. Commit the files, so that commits can be compared.
Exit codes: 0 ready, 2 wrong use, 3 the app does not come up, or cannot be measured.
"""


@click.command("init", epilog=EPILOG)
@click.option("--command", "words", help="How the server is started, with {port}; by default Django's.")
@click.option("--openapi", help="The OpenAPI schema as JSON: a file, a URL, or a path of the app.")
@click.option("--health", help="A path that answers 200 once the app is ready; by default it is looked for.")
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="The Python that has the app's requirements; by default that of .venv, else Loadstone's own.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    help="The repository's folder, in which loadstone.toml is written.",
)
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--no-check", is_flag=True, help="Start nothing: write what can be known without.")
@click.option("--budget", default=CHECK, show_default=True, help="Most time of the check.")
@click.option("--quiet", "-q", is_flag=True, help="No progress view.")
def command(
    words: str | None,
    openapi: str | None,
    health: str | None,
    python: Path | None,
    directory: Path,
    force: bool,
    no_check: bool,
    budget: str,
    quiet: bool,
) -> int:
    """Write a loadstone.toml and a scenario for the app in this folder, and check them."""
    root = directory.resolve()
    given, schema = _given_endpoints(openapi, root)
    found = of_command(root, words, python) if words else of_django(root, python)
    found = replace(found, endpoints=given or found.endpoints)
    paths = [root / FILE_NAME, root / SCENARIO, *([found.settings[0]] if found.settings else [])]
    _refuse_to_overwrite(paths, root, force=force)
    console = err()
    console.quiet = quiet
    console.print(f"found {found.what}", markup=False)
    if found.settings:
        write_atomically(found.settings[0], found.settings[1].encode())
    _write(root, found.text.replace("{health}", health or "/"), [])
    if no_check:
        _write(
            root, found.text.replace("{health}", health or "/"), [_untried(one) for one in found.endpoints]
        )
        _tell(root, paths, "not started: run loadstone compare . . --allow-identical --budget 1m")
        return int(ExitCode.OK)
    project = load_project(root / FILE_NAME)
    variant, _, _ = compile_variant(project, None, (), None, None)
    with progress_view(quiet=quiet) as view:
        told = try_out(
            variant,
            project.state,
            endpoints=found.endpoints,
            schema=schema,
            health=health,
            progress=view.step,
        )
    tasks = [_tried(one) for one in told.tried]
    _write(root, found.text.replace("{health}", told.health), tasks)
    good = sum(one.good for one in tasks)
    console.print(f"{good} of {len(tasks)} requests answer well; health is {told.health}", markup=False)
    if not good:
        raise MeasurementError(
            "no request that was tried answers well",
            cause="; ".join(f"{one.path} {one.says}" for one in tasks[:5]),
            remedy=f"write what visitors do into {SCENARIO}: a login, ids that exist, data",
        )
    return _check(load_project(root / FILE_NAME), root, paths, budget, quiet=quiet)


def _check(project: Project, root: Path, paths: Sequence[Path], budget: str, *, quiet: bool) -> int:
    """Compare the app with itself, and say what that means."""
    wish = Wish(before=".", after=".", allow_identical=True, budget=budget)
    options = Options(
        state=project.state,
        reports=project.reports,
        command=f"loadstone compare . . --allow-identical --budget {budget} --seed 1",
    )
    with progress_view(quiet=quiet) as view:
        outcome = conduct(compile_experiment(project, wish), options, view)
    terminal.render(outcome.result, out(), report=str(outcome.page))
    if outcome.error is not None:
        raise outcome.error
    if outcome.interrupted:
        return int(ExitCode.INTERRUPTED)
    code = outcome.result.verdict.exit_code
    if code == int(ExitCode.REGRESSED):
        raise MeasurementError(
            "the app was found slower than itself",
            cause="chance does that in one of a hundred runs, state that both variants share more often",
            remedy="repeat it; where it happens again, give each variant data of its own in [data]",
        )
    _tell(root, paths, "the app was compared with itself: nothing was found that is not there")
    return code


def _given_endpoints(openapi: str | None, root: Path) -> tuple[tuple[Endpoint, ...], str | None]:
    """Return what a schema that can be read now lists, or the path at which the app will have it."""
    if openapi is None:
        return (), None
    if openapi.startswith(("http://", "https://")):
        try:
            with urllib.request.urlopen(openapi, timeout=30) as answer:  # noqa: S310 - http or https
                text = answer.read(LARGEST).decode("utf-8", errors="replace")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{openapi} cannot be read", cause=str(error)) from error
        return tuple(reading_endpoints(parse_schema(text, openapi))), None
    file = root / openapi
    if file.is_file():
        text = file.read_text(encoding="utf-8", errors="replace")
        return tuple(reading_endpoints(parse_schema(text, openapi))), None
    if openapi.startswith("/"):
        return (), openapi
    raise ConfigurationError(f"there is no {file}", remedy="name a file, a URL, or a path that begins with /")


def _refuse_to_overwrite(paths: Sequence[Path], root: Path, *, force: bool) -> None:
    there = [str(path.relative_to(root)) for path in paths if path.exists()]
    if there and not force:
        raise ConfigurationError(
            f"{' and '.join(there)} {'are' if len(there) > 1 else 'is'} there already",
            remedy="add --force to write anew, or mend by hand",
        )


def _write(root: Path, text: str, tasks: Sequence[starting.Task]) -> None:
    (root / SCENARIO).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(root / FILE_NAME, text.encode())
    write_atomically(root / SCENARIO, starting.scenario(tasks).encode())


def _tried(one: Tried) -> starting.Task:
    return starting.Task(one.endpoint.path, one.target, one.says, one.good, one.listed, one.source)


def _untried(one: Endpoint) -> starting.Task:
    """Return a task for what needs nothing that is unknown."""
    values = dict(one.values)
    if one.missing or any(name not in values for name in one.parameters):
        return starting.Task(one.path, "", "needs values that nobody gave", good=False)
    target = one.path.format(**values) + (f"?{one.query}" if one.query else "")
    return starting.Task(one.path, target, "not tried", good=True)


def _tell(root: Path, paths: Sequence[Path], so: str) -> None:
    console = out()
    lines = [
        f"written: {', '.join(str(path.relative_to(root)) for path in paths)}",
        so,
        "next: mend the scenario to what visitors do, fill the database in data.prepare, commit the files;",
        "then loadstone compare main HEAD, or loadstone gate",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
