"""Draw what every panel of every dashboard shows of a real run: `python tools/draw_dashboards.py`.

Starts Prometheus, the exporters that this machine has, and a short comparison under load; asks every query of
every panel, and writes docs/dashboards.md and its pictures. Needs Prometheus (tools/get_prometheus).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from embedded import LOADSTONE, ROOT, services
from panels_drawn import DrawnPanel, Line, draw_board

from grafana.source.all import BOARDS
from grafana.source.kit import Board, Panel, Query
from loadstone.target.ports import Ports
from loadstone.target.processes import Supervisor
from loadstone.telemetry import prometheus

PAGE, PICTURES = ROOT / "docs" / "dashboards.md", ROOT / "docs" / "images"
RUN = (
    "compare cache=off cache=aside --lane load --scenario confirmed_checkout --with tasks=celery "
    "--with instrumentation=prometheus --rate 12"
)
HEAD = """\
# What the dashboards show

Written by `python tools/draw_dashboards.py`: the queries of every panel, asked of a real Prometheus while

```console
$ loadstone {run} --budget {budget}
```

ran on the machine that drew them. It is a short run on a small machine: look at the shapes, not at the
figures. What queries returned is drawn as it is; one that returned nothing counts 0 series, and its panel
says so. What to look for is in [observability.md](observability.md#dashboards-and-what-to-look-for).
"""


class Source:
    """Prometheus, and when to ask about."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.begin, self.end, self.run = time.time(), 0.0, ""
        self.metric = ""
        """The one chosen at the top of the dashboard: the first that there is, as in Grafana."""

    def await_ready(self) -> None:
        """Wait until it answers."""
        for _ in range(600):
            try:
                urlopen(f"{self.address}/-/ready", timeout=5).close()  # noqa: S310 - a server of ours
            except OSError:
                time.sleep(0.1)
            else:
                return
        sys.exit("Prometheus does not answer")

    def lines(self, query: Query) -> list[Line]:
        """Return what a query gives, second by second."""
        expr = query.expr.replace("$__rate_interval", "10s").replace("$run", self.run)
        expr = expr.replace("$variant", ".+").replace("$metric", self.metric)
        words = urlencode({"query": expr, "start": self.begin, "end": self.end, "step": 1})
        found = self._ask(f"query_range?{words}")["result"]
        return [
            Line.of(
                query.legend, one["metric"], [(float(at) - self.begin, float(v)) for at, v in one["values"]]
            )
            for one in found
        ]

    def choose_metric(self) -> None:
        """Choose a metric of those whose effects are ratios."""
        match = f'loadstone_effect{{run="{self.run}",kind="ratio"}}'
        words = urlencode({"match[]": match, "start": self.begin, "end": self.end})
        self.metric = self._ask(f"label/metric/values?{words}")[0]

    def _ask(self, words: str) -> Any:  # noqa: ANN401 - whatever was asked for
        with urlopen(f"{self.address}/api/v1/{words}", timeout=30) as answer:  # noqa: S310 - as above
            return json.load(answer)["data"]


@contextmanager
def watching(supervisor: Supervisor, folder: Path, database: str, redis: str) -> Iterator[tuple[Source, int]]:
    """Run Prometheus and the exporters; yield the source, and the port that a run shows itself on."""
    found = prometheus.find(ROOT)
    if isinstance(found, str):
        sys.exit(found)
    ports = Ports()
    port, own = ports.take(), ports.take()
    watch = prometheus.Watch(*found, home=folder / "prometheus", data=folder / "data", port=port)
    started = prometheus.start(supervisor, watch, {})
    if isinstance(started, str):
        sys.exit(started)
    targets = watch.home / "targets"
    groups = [{"targets": [f"127.0.0.1:{own}"]}]
    (targets / "loadstone-run.json").write_text(json.dumps(groups), encoding="utf-8")
    parts = urlsplit(redis)
    exporters: dict[str, tuple[list[str], dict[str, str]]] = {
        "prometheus-postgres-exporter": ([], {"DATA_SOURCE_NAME": f"{database}?sslmode=disable"}),
        "prometheus-redis-exporter": (
            [f"--redis.addr=redis://{parts.hostname}:{parts.port}"],
            {"REDIS_PASSWORD": parts.password or ""},
        ),
        "prometheus-node-exporter": ([], {}),
    }
    for name, (words, env) in exporters.items():
        if program := shutil.which(name):
            at = ports.take()
            argv = [program, *words, f"--web.listen-address=127.0.0.1:{at}"]
            log = folder / f"{name}.log"
            supervisor.start(name, argv, log=log, cwd=folder, env={**os.environ, **env})
            group = [{"targets": [f"127.0.0.1:{at}"], "labels": {"job": name.split("-")[1]}}]
            (targets / f"exporters-{name}.json").write_text(json.dumps(group), encoding="utf-8")
    source = Source(port)
    source.await_ready()
    try:
        yield source, own
    finally:
        ports.close()


def compare(folder: Path, source: Source, port: int, urls: tuple[str, str], budget: str) -> None:
    """Run the comparison, and note when and which it was."""
    database, redis = urls
    argv = [LOADSTONE, *RUN.split(), "--budget", budget, "--quiet"]
    argv += ["--database-url", database, "--redis-url", f"{redis.rpartition('/')[0]}/5"]
    argv += ["--metrics", str(port), "--reports", str(folder / "runs")]
    argv += ["--metrics-targets", str(folder / "prometheus" / "targets" / "variants-run.json")]
    source.begin = time.time()
    ran = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True)
    if ran.returncode in {2, 130}:
        sys.exit(ran.stderr)
    source.end = time.time()
    source.run = next((folder / "runs").glob("*/result.json")).parent.name
    source.choose_metric()


def write(source: Source, budget: str) -> int:
    """Write pictures and page; return how many queries returned nothing."""
    parts, silent = [HEAD.format(run=RUN, budget=budget)], 0
    for board in BOARDS:
        drawn = [draw(source, panel) for panel in panels(board)]
        picture = PICTURES / f"{board.uid}.svg"
        picture.write_text(draw_board(board.title, drawn, source.end - source.begin), encoding="utf-8")
        rows = [f"| {one.title} | {', '.join(str(count) for count in one.counts)} |" for one in drawn]
        silent += sum(count == 0 for one in drawn for count in one.counts)
        name = board.title.partition(": ")[2].capitalize()
        image = f"![{board.title}](images/{picture.name})"
        parts.append(
            "\n".join(
                [f"## {name}\n", f"{image}\n", "| panel | series of each query |", "|---|---|", *rows, ""]
            )
        )
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    return silent


def panels(board: Board) -> Iterator[Panel]:
    """Return every panel of a dashboard."""
    for _, row in board.rows:
        yield from row


def draw(source: Source, panel: Panel) -> DrawnPanel:
    """Ask the queries of a panel."""
    found = [source.lines(query) for query in panel.queries]
    lines = tuple(line for each in found for line in each)
    return DrawnPanel(panel.title, panel.unit, lines, tuple(len(each) for each in found), panel.limit)


def main() -> int:
    """Draw everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", default="75s", help="of the comparison")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dashboards-") as made,
        services() as urls,
        Supervisor() as supervisor,
        watching(supervisor, Path(made), *urls) as (source, port),
    ):
        compare(Path(made), source, port, urls, asked.budget)
        silent = write(source, asked.budget)
    sys.stderr.write(f"{PAGE.relative_to(ROOT)} is written; {silent} queries returned nothing\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
