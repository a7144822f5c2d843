"""`loadstone up`: one variant to look at, with Prometheus where there is one, until it is told to end."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from loadstone.cli.shared import config_option, err, open_project, out
from loadstone.config.compile import compile_variant
from loadstone.config.load import Project
from loadstone.config.model import Variant
from loadstone.config.units import parse_duration
from loadstone.errors import ExitCode, TargetError
from loadstone.lanes.endings import interruptible
from loadstone.target.children import Child
from loadstone.target.stage import Stage
from loadstone.telemetry import prometheus

PROMETHEUS_PORT = 9090
POLL_S = 0.5
EPILOG = """\b
Examples:
  loadstone up --with instrumentation=prometheus
  loadstone up orm=naive,cache=aside --size medium --with instrumentation=prometheus
  loadstone up --prometheus-data data/        (with finished runs in it: docs/observability.md)
\b
Ends with Ctrl-C, and leaves nothing behind but --prometheus-data.
"""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line asks for."""

    prometheus_port: int
    prometheus_data: Path | None
    for_s: float | None


@click.command("up", epilog=EPILOG)
@click.argument("choices", required=False)
@click.option("--with", "held", multiple=True, metavar="TOGGLE=CHOICE", help="Set another toggle.")
@click.option("--size", help="Dataset size, one of data.sizes.")
@click.option(
    "--prometheus-port",
    type=click.IntRange(1, 65_535),
    default=PROMETHEUS_PORT,
    show_default=True,
    help="Port of Prometheus on loopback.",
)
@click.option(
    "--prometheus-data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which its series are kept, and finished runs may lie; by default they go with it.",
)
@click.option("--for", "duration", metavar="DURATION", help="End by itself after so long.")
@config_option
def command(
    choices: str | None,
    held: tuple[str, ...],
    size: str | None,
    prometheus_port: int,
    prometheus_data: Path | None,
    duration: str | None,
    config: Path | None,
) -> int:
    """Start the variant given by CHOICES such as orm=prefetch, and Prometheus if the machine has one.

    Addresses are printed on standard output. Everything is stopped at the end.
    """
    project = open_project(config)
    variant, _, _ = compile_variant(project, choices, held, None, size)
    for_s = parse_duration(duration) if duration is not None else None
    try:
        with interruptible(), Stage(project.state, slots=1) as stage:
            _serve(project, variant, stage, _Wish(prometheus_port, prometheus_data, for_s))
    except KeyboardInterrupt:
        err().print("stopped")
    return int(ExitCode.OK)


def _serve(project: Project, variant: Variant, stage: Stage, wish: _Wish) -> None:
    """Start everything, print where it is, and watch it until the end."""
    stage.prepare([variant])
    with ExitStack() as stack:
        running = stack.enter_context(stage.generation([(variant, 0)]))
        _say(variant.label, running[variant.name].base_url)
        for name, url in (
            ("database", running[variant.name].database_url),
            ("cache", running[variant.name].redis_url),
        ):
            if url:
                _say(name, url)
        watching = _watch(project, stage, {variant.label: running[variant.name].base_url}, wish)
        if isinstance(watching, str):
            err().print(f"without Prometheus: {watching}", markup=False, soft_wrap=True)
        else:
            stack.callback(stage.supervisor.stop, watching)
            _say("Prometheus", f"http://127.0.0.1:{wish.prometheus_port}")
        err().print("Ctrl-C ends it")
        begin = time.monotonic()
        while wish.for_s is None or time.monotonic() - begin < wish.for_s:
            running.check()
            if isinstance(watching, Child) and not watching.alive():
                raise TargetError("Prometheus ended", cause=watching.log_tail())
            time.sleep(POLL_S)


def _watch(project: Project, stage: Stage, servers: dict[str, str], wish: _Wish) -> Child | str:
    found = prometheus.find(project.root)
    if isinstance(found, str):
        return found
    program, config = found
    home = stage.home / "prometheus"
    data = wish.prometheus_data or home / "data"
    watch = prometheus.Watch(program, config, home, data, wish.prometheus_port)
    return prometheus.start(stage.supervisor, watch, servers)


def _say(name: str, address: str) -> None:
    out().print(f"{name}  {address}", markup=False, soft_wrap=True)
