"""`loadstone worker`: a generator on this host that takes part in runs of a master elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from loadstone.config.crew import LOCUST_PORT, TOKEN_VARIABLE, parse_address
from loadstone.errors import ConfigurationError, ExitCode

AGAIN = (int(ExitCode.OK), int(ExitCode.INVALID))
"""Ways in which a run of a worker ends after which another may come; not: it was refused."""
AGAIN_S = 1.0
EPILOG = f"""\b
Examples:
  loadstone worker --master 10.0.0.5
  loadstone worker --master 10.0.0.5:{LOCUST_PORT} --allow-target 10.0.0.5
  {TOKEN_VARIABLE}=… loadstone worker --master master --allow-target target --again
\b
The run is started with `loadstone load --expect-workers N`; it sends the scenario along.
A worker runs the scenario that its master sends: connect to masters of your own only.
Exit codes: 0 the run is over; 2 wrong use, refused by the master, or its target is not allowed here;
3 there is no master, or this worker could not do what it was told.
"""


@click.command("worker", epilog=EPILOG)
@click.option("--master", required=True, metavar="HOST[:PORT]", help="Where a run expects workers.")
@click.option(
    "--allow-target", multiple=True, metavar="HOST", help="Confirm a host beyond loopback that gets load."
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="This host's copy of the scenario, where it needs files beside it.",
)
@click.option("--again", is_flag=True, help="Wait for the next run when one is over.")
def command(master: str, allow_target: tuple[str, ...], scenario: Path | None, again: bool) -> int:
    """Send a share of the load of a run that is started elsewhere, as a worker of Locust's.

    The secret that a master beyond loopback wants is read from LOADSTONE_WORKER_TOKEN.
    """
    host, port = parse_address(master, LOCUST_PORT)
    if not port:
        raise ConfigurationError("port 0 is nobody's", remedy=f"write --master {host}:{LOCUST_PORT}")
    argv = [sys.executable, "-m", "loadstone.workload.load_worker", f"{host}:{port}"]
    argv += [word for target in allow_target for word in ("--allow-target", target)]
    if scenario is not None:
        argv += ["--scenario", str(scenario.absolute())]
    if not again:
        sys.stdout.flush()
        os.execv(sys.executable, argv)  # noqa: S606 - Locust patches the process that it runs in
    while (ended := subprocess.run(argv, check=False).returncode) in AGAIN:
        time.sleep(AGAIN_S)
    return ended if ended > 0 else int(ExitCode.INTERRUPTED)
