"""A real Prometheus with the project's own configuration, and what it is asked."""

import json
import math
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "prometheus"


@dataclass
class Prometheus:
    """One server, in a folder of its own.

    Args:
        supervisor: owns the process.
        folder: gets configuration, targets and data.
        port: that it listens on.
    """

    supervisor: object
    folder: Path
    port: int
    child: object = None
    began: float = field(default_factory=time.time)

    def __post_init__(self):
        for name in ("rules", "prometheus.yml"):
            source = CONFIG / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, self.folder / name)
        config = self.folder / "prometheus.yml"
        config.write_text(config.read_text().replace("127.0.0.1:9090", f"127.0.0.1:{self.port}"))
        (self.folder / "targets").mkdir()

    @property
    def targets(self) -> Path:
        """The folder of target files."""
        return self.folder / "targets"

    def add_target(self, kind: str, name: str, port: int, **labels: str) -> None:
        """Have an address scraped from now on."""
        group = [{"targets": [f"127.0.0.1:{port}"], "labels": labels}]
        (self.targets / f"{kind}-{name}.json").write_text(json.dumps(group))

    def start(self) -> None:
        """Start, and wait until it answers."""
        argv = [
            shutil.which("prometheus"),
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]
        log = self.folder / "prometheus.log"
        self.child = self.supervisor.start("prometheus", argv, log=log, cwd=self.folder)
        for _ in range(400):
            try:
                urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10).close()
            except (URLError, ConnectionError):  # not listening yet, or not ready
                assert self.child.alive(), log.read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(log.read_text())

    def ask(self, what: str, **words: object):
        """Return the data of an answer; a query that is wrong fails with Prometheus' own message."""
        try:
            with urlopen(
                f"http://127.0.0.1:{self.port}/api/v1/{what}?{urlencode(words)}", timeout=10
            ) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise AssertionError(json.loads(error.read())["error"]) from error

    def ranged(self, query: str, begin: float, end: float) -> list[list[float]]:
        """Return the finite values of each series that a query gives, second by second."""
        found = self.ask("query_range", query=query, start=begin, end=end, step=1)["result"]
        values = [[float(value) for _, value in one["values"]] for one in found]
        finite = [[value for value in each if math.isfinite(value)] for each in values]
        return [each for each in finite if each]

    def await_value(self, query: str, accept, timeout_s: float = 20.0) -> float:
        """Wait until a query gives a value that is accepted, and return it."""
        value, by = None, time.monotonic() + timeout_s
        while time.monotonic() < by:
            found = self.ask("query", query=query)["result"]
            value = float(found[0]["value"][1]) if found else None
            if value is not None and accept(value):
                return value
            time.sleep(0.2)
        raise AssertionError(f"{query} stays {value}")
