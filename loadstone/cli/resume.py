"""`loadstone resume`: go on with a run that was cut short."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import click

from loadstone.cli import compare
from loadstone.cli.calls import check_json_path
from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, find_run, open_project
from loadstone.config.allowed import named_twice
from loadstone.errors import ConfigurationError
from loadstone.lanes.conductor import Options, report_kept, resume
from loadstone.record.kept import Kept, read_kept

EPILOG = """\b
Examples:
  loadstone resume 20260101T120000Z-orm-naive-orm-prefetch
  loadstone resume reports/20260101T120000Z-orm-naive-orm-prefetch --json -
\b
The plan stays as it was frozen: the same generations, seeds and looks. What was sealed
is kept, the generation that was cut short is measured anew, and a look that was taken is
not taken again, so that the false-alarm rate is that of a run in one piece.
Only comparisons of the pair lane go on; on the same machine, with the same code and configuration.
Runs and comparisons under load and searches for capacity do not: they are refused, with the command that
repeats them. An interrupted one has reported what it measured; what a killed one sealed stays in its folder.
Exit codes are those of loadstone compare. 2 is also a folder that is damaged (nothing is changed in it);
3 also a run that was ended by a fault of what it measured, which stays invalid.
"""


@click.command("resume", epilog=EPILOG)
@click.argument("run")
@click.option("--require-verdict", is_flag=True, help="Exit with 4 when the verdict is inconclusive.")
@click.option("--json", "json_path", metavar="FILE", help="Also write the result here; - is standard output.")
@click.option("--database-url", envvar="LOADSTONE_DATABASE_URL", help="Use this PostgreSQL server.")
@click.option("--redis-url", envvar="LOADSTONE_REDIS_URL", help="Use this Redis database (empty or ours).")
@click.option("--quiet", "-q", is_flag=True, help="No progress view.")
@config_option
def command(
    run: str,
    require_verdict: bool,
    json_path: str | None,
    database_url: str | None,
    redis_url: str | None,
    quiet: bool,
    config: Path | None,
) -> int:
    """Go on with RUN, a comparison that was killed or interrupted, and judge it as a whole.

    RUN is a folder under reports/, or its name.
    """
    kept = read_kept(find_run(run, config))
    check_json_path(json_path)
    if kept.ended:
        return compare.finish(report_kept(kept), json_path, require_verdict=require_verdict)
    asked = _asked(kept)
    project = open_project(config or asked.config)
    experiment = replace(asked, quiet=quiet).experiment(project)
    options = Options(
        state=project.state,
        reports=kept.folder.parent,
        command=kept.plan.command,
        database_url=None if experiment.deployed else database_url,
        redis_url=None if experiment.deployed else redis_url,
        allowed_hosts=named_twice(project, asked.allow_host),
    )
    with progress_view(quiet=quiet) as view:
        outcome = resume(kept, experiment, options, view)
    return compare.finish(outcome, json_path, require_verdict=require_verdict or asked.require_verdict)


def _asked(kept: Kept) -> compare.Asked:
    """Return the options of the command that began the run."""
    words = shlex.split(kept.plan.command)
    try:
        if words[:2] != ["loadstone", "compare"]:
            raise click.UsageError("it was not begun by loadstone compare")
        return compare.asked_of(words[2:])
    except click.ClickException as error:
        raise ConfigurationError(
            f"{kept.folder.name} cannot be resumed",
            cause=f"its command is not understood: {error.format_message()}",
            remedy=f"repeat it: {kept.plan.command}",
        ) from error
