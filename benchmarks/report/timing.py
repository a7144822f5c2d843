"""How long does a page take with many samples behind it? `python benchmarks/report/timing.py`.

Makes sealed runs of 1 thousand, 1 million and 10 million requests (two variants, four
endpoints, with sampled stacks) and prints for each: how long judging it from its sealed
chunks takes, and rendering the page; the page's size; and how long headless Chromium
takes to open it, beside a blank page.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.lanes.design import make_plan
from loadstone.record.journal import CpuSeconds, EndLine, GenerationLine, Journal, PlanLine, ProfileLine
from loadstone.record.machine import describe_machine
from loadstone.record.observations import ROW, Rows
from loadstone.record.plan import Plan
from loadstone.record.profiled import SampledSide
from loadstone.report import html
from loadstone.verdict.assemble import Circumstances, judge_run, read_sealed

COUNTS = (1_000, 1_000_000, 10_000_000)
GENERATIONS = 10
STEPS = ["GET /products", "GET /products/{id}", "POST /orders", "GET /search"]
OPENINGS = 5
BLANK = "<!doctype html><title>nothing</title>"


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, nargs="*", default=COUNTS, help="requests of both variants")
    options = parser.parse_args()
    head = ("samples", "journal and chunks", "judge", "render", "page", "open", "blank page", "memory")
    print("".join(f"{one:>20}" for one in head))
    for count in options.samples:
        with tempfile.TemporaryDirectory() as folder:
            print("".join(f"{one:>20}" for one in _row(Path(folder), count)), flush=True)
    return 0


def _row(folder: Path, count: int) -> list[str]:
    _seal(folder, count)
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    started = time.perf_counter()
    told = Circumstances("20260101T000000Z-made", "2026-01-01T00:00:00", "", 1.0, describe_machine())
    result = judge_run(read_sealed(folder), told)
    judged = time.perf_counter()
    text = html.render(result)
    rendered = time.perf_counter()
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    blank = folder / "blank.html"
    blank.write_text(BLANK, encoding="utf-8")
    return [
        f"{count:,}",
        f"{held / 1e6:.1f} MB",
        f"{judged - started:.2f} s",
        f"{rendered - judged:.2f} s",
        f"{len(text.encode()) / 1e3:.0f} kB",
        _opening(page),
        _opening(blank),
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB",
    ]


def _opening(page: Path) -> str:
    """Return the median time from starting headless Chromium until it has drawn the page and ended."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        return "no Chromium"
    took = []
    for _ in range(OPENINGS):
        with tempfile.TemporaryDirectory() as profile:
            words = [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                f"--user-data-dir={profile}",
            ]
            started = time.perf_counter()
            shot = [f"--screenshot={profile}/page.png", page.as_uri()]
            subprocess.run([browser, *words, *shot], capture_output=True, check=True)
            took.append(time.perf_counter() - started)
    return f"{statistics.median(took):.2f} s"


def _seal(folder: Path, count: int) -> None:
    """Write a journal and chunks of `count` requests."""
    rng = np.random.default_rng(1)
    plan = _plan()
    journal = Journal(folder)
    journal.append(PlanLine(plan=plan))
    for index in range(GENERATIONS):
        pairs = count // GENERATIONS // 2
        rows = _rows(plan, pairs, rng)
        spent = [float(rows["service_us"][rows["variant"] == one].sum()) / 2e6 for one in (0, 1)]
        journal.append(
            GenerationLine(
                index=index,
                chunk=journal.seal(rows.tobytes()),
                rows=rows.size,
                steps=STEPS,
                cpu=[CpuSeconds(server_s=one, database_s=one / 2, cache_s=0.0) for one in spent],
                users=[],
                pairs=pairs,
                diverged=0,
                iterations=pairs,
                duration_s=10.0,
                generator_cpu_s=1.0,
                steal=0.0,
                scenario_errors=0,
                first_error="",
            )
        )
    journal.append(_stacks(journal, rng))
    journal.append(EndLine(status="complete", stop_reason="made", at="2026-01-01T00:00:00", decided=True))
    journal.close()


def _plan() -> Plan:
    here = Path(__file__)
    before = Variant(
        "before", "a=1", ("serve",), here.parent, {}, Recipe((), "small", 1), "/", Path(sys.executable)
    )
    variants = (before, replace(before, name="after", label="a=2"))
    experiment = Experiment("a=1 → a=2", here, variants, "small", 1, max_generations=GENERATIONS)
    return make_plan(experiment, "loadstone compare a=1 a=2")


def _rows(plan: Plan, pairs: int, rng: np.random.Generator) -> Rows:
    """Return pairs of requests, [2 * pairs]: after takes 5% less."""
    rows = np.zeros(2 * pairs, dtype=ROW)
    rows["pair"], rows["variant"], rows["paired"] = np.repeat(np.arange(pairs), 2), np.tile((0, 1), pairs), 1
    rows["step"] = np.repeat(rng.integers(0, len(STEPS), pairs), 2)
    rows["gap"] = np.repeat(rng.random(pairs) < plan.gap_share, 2)
    rows["position"] = (np.repeat(rng.integers(0, 2, pairs), 2) + rows["variant"]) % 2
    own = np.repeat(rng.lognormal(9.0, 0.5, pairs), 2) * rng.lognormal(0.0, 0.1, 2 * pairs)
    rows["service_us"] = own * np.where(rows["variant"], 0.95, 1.0)
    return rows


def _stacks(journal: Journal, rng: np.random.Generator) -> ProfileLine:
    """Return stacks as wide and deep as a web framework's."""
    sides = []
    for name in ("before", "after"):
        lines = []
        for _ in range(1500):
            deep = [
                f"function_{rng.integers(0, 3)}_{depth} (module/file.py)"
                for depth in range(rng.integers(5, 40))
            ]
            lines.append(f"{';'.join(deep)} {rng.integers(1, 5)}")
        sides.append(SampledSide(variant=name, chunk=journal.seal("\n".join(lines).encode()), cpu_s=2.0))
    return ProfileLine(requests=200, seconds=5.0, rate_hz=400, sides=sides)


if __name__ == "__main__":
    sys.exit(main())
