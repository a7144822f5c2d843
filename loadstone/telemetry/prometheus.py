"""A Prometheus of a project's own, with the configuration that the project keeps in `prometheus/`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadstone.record.folder import write_atomically
from loadstone.target.children import Child
from loadstone.target.ports import is_free
from loadstone.target.processes import Supervisor
from loadstone.telemetry.endpoint import targets_file

PROGRAM = "prometheus"
OWN_ADDRESS = "127.0.0.1:9090"
"""Under which the configuration has Prometheus scrape itself."""
KEPT = "10y"
"""Finished runs are loaded with the time at which they ran; the default of 15 days would drop them."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What to start.

    Args:
        program: the binary.
        config: folder with `prometheus.yml` and `rules/`.
        home: gets a copy of it, the targets, and the log.
        data: where the series are kept.
        port: on loopback.
    """

    program: str
    config: Path
    home: Path
    data: Path
    port: int


def find(project: Path) -> tuple[str, Path] | str:
    """Return the binary and the project's configuration, or why there is nothing to start."""
    program, config = shutil.which(PROGRAM), project / "prometheus"
    if program is None:
        return "there is no Prometheus on this machine (Debian: apt-get install prometheus)"
    if not (config / "prometheus.yml").is_file():
        return f"the project keeps no configuration in {config}"
    return program, config


def start(supervisor: Supervisor, watch: Watch, servers: Mapping[str, str]) -> Child | str:
    """Start Prometheus on a project's servers, given by variant; return it, or why it was not started."""
    if not is_free(watch.port):
        return f"port {watch.port} is taken: choose another with --prometheus-port"
    address = f"127.0.0.1:{watch.port}"
    text = (watch.config / "prometheus.yml").read_text(encoding="utf-8")
    shutil.copytree(watch.config, watch.home, dirs_exist_ok=True)
    (watch.home / "targets").mkdir(exist_ok=True)
    (watch.home / "prometheus.yml").write_text(text.replace(OWN_ADDRESS, address), encoding="utf-8")
    write_atomically(watch.home / "targets" / "variants-up.json", targets_file(servers))
    argv = [
        watch.program,
        f"--config.file={watch.home / 'prometheus.yml'}",
        f"--storage.tsdb.path={watch.data.absolute()}",
        f"--storage.tsdb.retention.time={KEPT}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    return supervisor.start("Prometheus", argv, log=watch.home / "prometheus.log", cwd=watch.home)
