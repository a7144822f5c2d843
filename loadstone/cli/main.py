"""The program `loadstone`: its commands, and how it ends."""

from __future__ import annotations

import os
import sys
import traceback

import click

from loadstone import __version__
from loadstone.cli import (
    bisect,
    capacity,
    clean,
    compare,
    doctor,
    gate,
    history,
    init,
    load,
    matrix,
    micro,
    prove,
    report,
    resume,
    scenario,
    stop,
    toggles,
    up,
    verify,
    worker,
)
from loadstone.errors import ExitCode, LoadstoneError, MeasurementError

EPILOG = """\b
Examples:
  loadstone init
  loadstone compare orm=naive orm=prefetch
  loadstone compare indexes=none indexes=composite --size medium --budget 3m
  loadstone load orm=prefetch --rate 200 --for 1m
  loadstone capacity orm=naive orm=prefetch --slo 'p99<200ms, errors<0.1%'
  loadstone prove orm
  loadstone gate --base origin/main
  loadstone report open
\b
Exit codes: 0 nothing failed, 1 regressed or a threshold broke, 2 wrong use, 3 invalid measurement,
4 inconclusive where certainty was asked for, 130 interrupted.
"""

REPORT_IT = "set LOADSTONE_DEBUG=1 to see where; if it is no fault of the machine, report it"


@click.group(
    epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="loadstone")
def cli() -> None:
    """Prove an optimization before it ships: two variants, side by side, one verdict."""


for module in (
    init,
    compare,
    resume,
    stop,
    prove,
    load,
    matrix,
    capacity,
    gate,
    history,
    bisect,
    micro,
    worker,
    up,
    toggles,
    doctor,
    report,
    verify,
    scenario,
    clean,
):
    cli.add_command(module.command)


def main() -> None:
    """Run the program and end it with the right exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except LoadstoneError as error:
        _complain(error)
        code = int(error.exit_code)
    except click.ClickException as error:
        error.show()
        code = int(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = int(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # whoever read our output went away; nothing else failed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = int(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 - the last resort: one clear error, never exit code 1
        _complain(MeasurementError(f"Loadstone failed: {type(error).__name__}: {error}", remedy=REPORT_IT))
        if os.environ.get("LOADSTONE_DEBUG"):
            traceback.print_exc()
        code = int(ExitCode.INVALID)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(error: LoadstoneError) -> None:
    click.secho(f"error: {error.problem}", err=True, fg="red")
    if error.cause:
        click.echo(f"cause: {error.cause}", err=True)
    if error.remedy:
        click.echo(f"remedy: {error.remedy}", err=True)


if __name__ == "__main__":
    main()
