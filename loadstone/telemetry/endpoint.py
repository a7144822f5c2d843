"""The address at which Prometheus finds a run that goes on, and how it finds the run's variants."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, start_http_server

from loadstone.config.crew import LOOPBACK
from loadstone.errors import ConfigurationError
from loadstone.record.folder import write_atomically
from loadstone.report import safe
from loadstone.stats.verdicts import Verdict
from loadstone.telemetry.grafana import Annotations
from loadstone.telemetry.series import Collector
from loadstone.telemetry.state import State

LINGER_S = 3.0
"""The last values stay for so long, so that a scrape a second sees them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    address: str = ""
    """`PORT` or `HOST:PORT`; empty: nobody scrapes this run."""
    targets: Path | None = None
    """File in which Prometheus' file_sd finds the variants."""


class Scraped(State):
    """A watcher that Prometheus scrapes.

    Args:
        targets: file in which it finds the variants, if any.
        annotations: where begin and end of runs are marked.
    """

    def __init__(self, targets: Path | None, annotations: Annotations) -> None:
        super().__init__()
        self._targets = targets
        self._annotations = annotations

    def began(self, run: str, title: str, variants: Sequence[tuple[str, str]]) -> None:
        """Take a run's name, and mark its begin in Grafana."""
        super().began(run, title, variants)
        self._annotations.mark(f"{title}: began", ("loadstone", run))

    def ended(self, verdict: Verdict | None) -> None:
        """Take the verdict, and mark the end in Grafana."""
        super().ended(verdict)
        now = self.shown()
        if now is not None:
            self._annotations.mark(f"{now.title}: {verdict or 'ended'}", ("loadstone", now.run))

    def serving(self, addresses: Mapping[str, str]) -> None:
        """Tell Prometheus where the variants are; each carries its name as `variant`."""
        if self._targets is not None:
            write_atomically(self._targets, targets_file(addresses))


def targets_file(addresses: Mapping[str, str]) -> bytes:
    """Return the content of a file_sd file for base URLs by variant."""
    groups = [
        {"targets": [urlsplit(url).netloc], "labels": {"variant": safe.name(name)}}
        for name, url in addresses.items()
    ]
    return json.dumps(groups, indent=2).encode() + b"\n"


@contextmanager
def scraped(wish: Wish, allowed_hosts: Collection[str]) -> Iterator[Scraped]:
    """Answer scrapes while the block runs, and a little longer.

    Raises:
        ConfigurationError: the address is none, is beyond loopback unconfirmed, or is taken.
    """
    host, port = parse_metrics_address(wish.address, allowed_hosts)
    state = Scraped(wish.targets, Annotations.from_environment())
    state.serving({})
    registry = CollectorRegistry()
    registry.register(Collector(state.shown))
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ConfigurationError(
            f"{host}:{port} cannot answer scrapes",
            cause=str(error),
            remedy="choose another --metrics address",
        ) from error
    try:
        yield state
        if state.shown() is not None:
            time.sleep(LINGER_S)
    finally:
        state.serving({})
        server.shutdown()
        server.server_close()
        thread.join()


def parse_metrics_address(text: str, allowed_hosts: Collection[str]) -> tuple[str, int]:
    """Return host and port of `PORT` or `HOST:PORT`; raises `ConfigurationError`."""
    host, _, after = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not after.isdecimal() or not 0 < int(after) < 1 << 16:
        raise ConfigurationError(
            f"{text!r} is no address for metrics", remedy="write PORT or HOST:PORT, as --metrics 9464"
        )
    if host not in LOOPBACK and host not in allowed_hosts:
        raise ConfigurationError(
            f"--metrics {text} is beyond this machine's loopback",
            cause="whoever reaches it could read what is measured here",
            remedy=f"if you mean it, say so a second time: --allow-host {host}",
        )
    return host, int(after)
