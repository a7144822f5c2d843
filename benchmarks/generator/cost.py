"""What a request costs the generator: one table, one run, one server, interleaved rounds.

    python benchmarks/generator/cost.py [--rounds 4] [--seconds 2] [--only wrk,lean]

Every tool drives the same server (nginx on the other core, where it is installed) with 16
keep-alive connections as fast as it can, pinned to one core. CPU time is user and system
of the tool, start-up of Python left out. Each round runs all tools in a fresh random order;
ratios are taken within rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections.abc import Callable
from pathlib import Path

from rivals import RIVALS, Cost, drive
from servers import DETAIL, serving

REFERENCE = "lean"
KINDS = {
    REFERENCE: ("lean", "detail", "named, JSON checked, recorded"),
    "lean, no check": ("lean", "bare", "named, recorded"),
    "lean, stock Locust": ("lean-stock", "detail", "the same user under Locust's runner, its statistics on"),
    "FastHttpUser": ("fast", "detail", "named, JSON checked, Locust's statistics"),
    "FastHttpUser, no check": ("fast", "bare", "named, Locust's statistics"),
    "HttpUser, no check": ("http", "bare", "named, Locust's statistics"),
    "lean, shop": ("lean", "shop", "a scenario of three endpoints, bodies of 0.3 to 3.5 kB, all checked"),
    "FastHttpUser, shop": ("fast", "shop", "the same scenario"),
}
PAIRS = (
    ("lean", "wrk"),
    ("lean", "hey"),
    ("FastHttpUser", "lean"),
    ("FastHttpUser, no check", "lean, no check"),
    ("FastHttpUser, shop", "lean, shop"),
    ("HttpUser, no check", "lean, no check"),
)
"""Ratios worth a line: how many times the first costs what the second does."""
Tool = Callable[[str, int], Cost]


def tools(only: list[str]) -> dict[str, Tool]:
    """Return what can run here, by name."""
    found: dict[str, Tool] = {}
    for rival in RIVALS:
        if rival.available():
            found[rival.name] = lambda url, seconds, rival=rival: rival.run(url + DETAIL, seconds)
    for name, (kind, work, _) in KINDS.items():
        found[name] = lambda url, seconds, kind=kind, work=work: drive(kind, work, url, seconds)
    return {name: tool for name, tool in found.items() if not only or name in only}


def measure(chosen: dict[str, Tool], rounds: int, seconds: int) -> tuple[str, dict[str, list[Cost]]]:
    """Return the server's name and the costs by tool and round."""
    costs: dict[str, list[Cost]] = {name: [] for name in chosen}
    with serving() as server:
        for _ in range(rounds):
            for name in random.sample(list(chosen), len(chosen)):
                costs[name].append(chosen[name](server.base_url, seconds))
    return server.name, costs


def spread(values: list[float], digits: int) -> str:
    """Return median, and smallest to largest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(server: str, costs: dict[str, list[Cost]]) -> str:
    """Return the table as Markdown."""
    rounds = max(map(len, costs.values()))
    lines = [
        f"Against {server}, 16 connections, one core for the generator; median and range of {rounds} rounds.",
        "",
        "| generator | CPU, µs a request | requests/s | at most, a core | does |",
        "|---|---:|---:|---:|---|",
    ]
    for name in sorted(costs, key=lambda name: statistics.median(cost.cpu_us for cost in costs[name])):
        cpu = spread([cost.cpu_us for cost in costs[name]], 1)
        rps = statistics.median(cost.rps for cost in costs[name])
        most = 1e6 / statistics.median(cost.cpu_us for cost in costs[name])
        lines.append(f"| {name} | {cpu} | {rps:,.0f} | {most:,.0f} | {KINDS.get(name, ('', '', ''))[2]} |")
    lines += ["", "| ratio of CPU a request | within rounds |", "|---|---:|"]
    for first, second in PAIRS:
        if first in costs and second in costs:
            ratios = [a.cpu_us / b.cpu_us for a, b in zip(costs[first], costs[second], strict=True)]
            lines.append(f"| {first} / {second} | {spread(ratios, 2)} |")
    absent = [rival.name for rival in RIVALS if not rival.available()]
    if absent:
        lines += ["", f"Not installed here: {', '.join(absent)}."]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--only", default="", help="names, separated by semicolons")
    parser.add_argument("--json", type=Path, help="append every run to this file")
    options = parser.parse_args()
    server, costs = measure(tools([n for n in options.only.split(";") if n]), options.rounds, options.seconds)
    print(table(server, costs))
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            for name, runs in costs.items():
                file.writelines(
                    json.dumps({"tool": name, "round": number, **vars(cost)}) + "\n"
                    for number, cost in enumerate(runs)
                )


if __name__ == "__main__":
    main()
