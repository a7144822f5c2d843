"""The program `loadstone`: its commands, and how it ends."""

from __future__ import annotations

import sys

import click

from loadstone import __version__
from loadstone.cli import clean, compare, doctor, report, toggles
from loadstone.errors import ExitCode, LoadstoneError

EPILOG = """\b
Examples:
  loadstone compare orm=naive orm=prefetch
  loadstone compare indexes=none indexes=composite --size medium --budget 3m
  loadstone report open
\b
Exit codes: 0 nothing failed, 1 regressed, 2 wrong use, 3 invalid measurement,
4 inconclusive where certainty was asked for, 130 interrupted.
"""


@click.group(
    epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="loadstone")
def cli() -> None:
    """Prove an optimization before it ships: two variants, side by side, one verdict."""


for module in (compare, toggles, doctor, report, clean):
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
    except BrokenPipeError:
        sys.stderr.close()
        code = int(ExitCode.OK)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(error: LoadstoneError) -> None:
    click.secho(f"error: {error.problem}", err=True, fg="red")
    if error.cause:
        click.echo(f"cause: {error.cause}", err=True)
    if error.remedy:
        click.echo(f"remedy: {error.remedy}", err=True)


if __name__ == "__main__":
    main()
