"""How often does a real run of two identical variants raise an alarm?

Runs `loadstone compare X X --allow-identical` with its shipped defaults and a new
seed each time. One alarm on any gating metric, of all endpoints or of one, counts.
Appends a line a run, whatever became of it, and prints over all stored runs of the
same settings k alarms in n with the exact one-sided 95% bound, never more than that
supports, machine by machine and together. Runs of other settings are kept and not
mixed in; settings that would see a change of 2% in fewer than 80% of runs do not count.
`--target deployed` compares two deployments of the bench by their URLs, started afresh for
every run: no server is started anew within it, and what makes one differ from the other stays.

Examples:
    python benchmarks/accuracy/aa.py --runs 10
    python benchmarks/accuracy/aa.py --for 45m --target bench
    python benchmarks/accuracy/aa.py --runs 5 --target deployed
    python benchmarks/accuracy/aa.py --runs 0
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from statistics import median

import campaign
from campaign import Cell, Row
from comparing import BENCH, OVERHEAD_S, SHOP, Comparison, compare, row_of
from deployed import CHOICE, two_deployments
from ledger import append, stored
from progress import say
from tables import (
    HEADLINE,
    carry_over,
    certified_at,
    counts,
    least_power,
    metric_names,
    metric_rows,
    power,
    upper_bound,
)

from loadstone.errors import LoadstoneError

NAME = "aa"
CHOICES = {"shop": "orm=prefetch", "bench": "size=0", "deployed": CHOICE}
CERTIFIED_BY_S = (60, 120, 180, 300)


def main(argv: list[str] | None = None) -> int:
    """Run, append, print; 0 whatever the counts are, 130 when interrupted."""
    options, code = _options(argv), 0
    try:
        limits = campaign.limits(options)
        cell = _cell(options)
    except LoadstoneError as error:
        say(f"error: {error.problem}")
        return 2
    runs, seconds = campaign.planned([cell], limits)
    say(f"{cell.name}: {runs} runs, about {seconds / 60:.0f} min")
    if not options.dry_run:
        code = campaign.exit_code([cell], limits)
    for line in summary([row for row in stored(NAME) if _alike(row, options)], options):
        print(line)
    return code


def _cell(options: argparse.Namespace) -> Cell:
    comparison = Comparison(
        SHOP if options.target == "shop" else BENCH,
        options.choice,
        options.choice,
        ("--allow-identical", *campaign.words(options)),
    )
    seeds = count(options.seed) if options.seed is not None else None
    return Cell(
        f"{options.target} {options.choice}",
        partial(_run, comparison, options, seeds),
        [row for row in stored(NAME) if _alike(row, options) and campaign.same_words(row, options)],
        comparison.budget_s + OVERHEAD_S,
    )


def _run(comparison: Comparison, options: argparse.Namespace, seeds: Iterator[int] | None) -> Row:
    with ExitStack() as stack:
        if options.target == "deployed":
            comparison = _of_deployments(comparison, stack.enter_context(two_deployments()))
        ran = stack.enter_context(compare(comparison, next(seeds) if seeds else None, options.keep))
        row = {
            "target": options.target,
            "choice": options.choice,
            "words": campaign.words(options),
            **row_of(ran),
        }
        append(NAME, [row])
    return row


def _of_deployments(comparison: Comparison, urls: tuple[str, str]) -> Comparison:
    words = tuple(word for word in comparison.options if word != "--allow-identical")
    return replace(comparison, before=urls[0], after=urls[1], options=words)


def _alike(row: Row, options: argparse.Namespace) -> bool:
    return (row.get("target", "shop"), row["choice"]) == (options.target, options.choice)


def summary(rows: list[Row], options: argparse.Namespace) -> Iterator[str]:
    """Tell of one target's rows: the settings shown, each machine, all together."""
    settings, shown, others = campaign.choose_settings(rows, options.settings)
    if not shown:
        yield "no run is stored" + (f"; of other settings: {sum(others.values())}" if others else "")
        return
    design = shown[-1]["design"]
    yield (
        f"settings {settings}: margin ±{design['margin']:.1%}, alpha {design['alpha']:.1%}, "
        f"budget {design['budget_s']:.0f} s"
    )
    machines = sorted({row["machine"]["fingerprint"] for row in shown})
    strong = []
    for machine in machines:
        own = [row for row in shown if row["machine"]["fingerprint"] == machine]
        yield f"machine {machine} ({own[-1]['machine']['cpu']}, {own[-1]['machine']['cores']} cores)"
        if least_power(own) >= options.power:
            strong += own
        else:
            yield f"  does not count: power at 2% is below {options.power:.0%}"
        yield from _group(own)
    if len(machines) > 1:
        yield "all machines that count"
        yield from _group(strong)
    if not strong:
        yield f"nothing counts: these settings have less than {options.power:.0%} power at a change of 2%"
    for name, number in others.items():
        yield f"kept, not counted: {number} runs of settings {name}"


def _group(rows: list[Row]) -> Iterator[str]:
    judged = [row for row in rows if counts(row)]
    if not judged:
        yield f"  no run was judged, {len(rows)} failed"
    else:
        alarms = sum(row["alarm"] for row in judged)
        bound = upper_bound(alarms, len(judged))
        yield f"  alarms: {alarms} of {len(judged)} runs, at most {bound:.1%} with 95% confidence"
        yield f"  verdicts: {_told(row['verdict'] for row in judged)}"
        for metric in metric_names(judged):
            yield from _metric(judged, metric)
        yield from _times(judged)
    yield from _failures(rows)


def _metric(rows: list[Row], metric: str) -> Iterator[str]:
    seen = metric_rows(rows, metric)
    if not seen:
        return
    line = f"  {metric}: {_told(one['verdict'] for one in seen)}; {sum(o['detected'] for o in seen)} detected"
    if seen[-1]["kind"] == "ratio":
        line += f"; median residual SD {median(one['residual_sd'] for one in seen):.2%}"
        line += f"; power at 2%: {power(rows, metric) or 0.0:.0%}"
    yield line
    carried = carry_over(rows, metric) if metric in HEADLINE else None
    if carried is not None:
        told = f"{carried[0]:+.2f}, standard error {carried[1]:.2f}"
        yield f"    correlation of a generation's effect with the next one's: {told}"
    if metric in HEADLINE:
        yield f"    within ±1%: {_certified([certified_at(one) for one in seen])}"


def _certified(times: list[float | None]) -> str:
    known = [at for at in times if at is not None]
    by = [f"{sum(at <= limit for at in known)} by {limit // 60} min" for limit in CERTIFIED_BY_S]
    return f"{', '.join(by)}, {len(known)} at the end, of {len(times)}"


def _times(rows: list[Row]) -> Iterator[str]:
    decided = [row["duration_s"] for row in rows if row["verdict"] != "inconclusive"]
    told = f"median {median(decided):.0f} s to a verdict in {len(decided)} runs" if decided else "no verdict"
    yield f"  time: {told}; median run {median(row['duration_s'] for row in rows):.0f} s"


def _failures(rows: list[Row]) -> Iterator[str]:
    failed = [row for row in rows if not counts(row)]
    if failed:
        alarms = sum(row["alarm"] for row in failed)
        yield f"  counted apart: {len(failed)} runs that failed or were invalid ({alarms} with an alarm):"
        for reason, number in Counter(row["failed"] or "quiet gaps" for row in failed).most_common():
            yield f"    {number} × {reason}"


def _told(verdicts: Iterator[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in Counter(verdicts).most_common())


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = campaign.parser(__doc__ or "")
    parser.add_argument("--target", choices=tuple(CHOICES), default="shop", help="what runs (%(default)s)")
    parser.add_argument("--choice", help="on both sides; by default orm=prefetch, or size=0 of the bench")
    parser.add_argument(
        "--power", type=float, default=0.8, help="least power at a change of 2%% to count (%(default)s)"
    )
    options = parser.parse_args(argv)
    options.choice = options.choice or CHOICES[options.target]
    return options


if __name__ == "__main__":
    sys.exit(main())
