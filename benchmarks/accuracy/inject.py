"""How often is a known cost called, how soon, how far off is the estimate, and does the interval hold it?

Runs `loadstone compare` with its shipped defaults on the app in `target/`, where
*after* has an extra cost of a known kind and size. How large it truly was in a run
is told by the app's own account of every request. Appends a line a run, whatever
became of it, and prints a table of everything stored under the same settings.

Kinds: spin (CPU), sleep, tail (all of the cost on 5% of the requests), after (CPU
burned once the answer is sent: CPU per request is expected to be called, latency
not), each at --size percent; query (one more SQL query), index (one dropped).

Examples:
    python benchmarks/accuracy/inject.py --kind spin --size 1 --runs 3
    python benchmarks/accuracy/inject.py --for 20m
    python benchmarks/accuracy/inject.py --runs 0
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import count

import campaign
import truth
from campaign import Cell, Row
from comparing import BENCH, OVERHEAD_S, Comparison, Ran, compare, row_of
from ledger import append, stored, wilson
from progress import say
from tables import INVALID, Accuracy, accuracy, metric_names

from loadstone.errors import LoadstoneError

NAME = "inject"
SIZED = ("spin", "sleep", "tail", "after")
SWITCHED = {"query": ("none", "one"), "index": ("kept", "dropped")}
SIZES = ("0.5", "1", "2", "5")
ONE = "one"
"""The size of what is there or not."""


def main(argv: list[str] | None = None) -> int:
    """Run, append, print; 0 whatever the counts are, 130 when interrupted."""
    options, code = _options(argv), 0
    seeds = count(options.seed) if options.seed is not None else None
    try:
        limits = campaign.limits(options)
        cells = [_cell(kind, size, options, seeds) for kind, size in wanted(options)]
    except LoadstoneError as error:
        say(f"error: {error.problem}")
        return 2
    runs, seconds = campaign.planned(cells, limits)
    say(f"{len(cells)} cells, {runs} runs, about {seconds / 60:.0f} min")
    if options.dry_run:
        for cell in cells:
            say(f"  {cell.name}: {len(cell.stored)} stored, {cell.expected_s():.0f} s a run")
    else:
        code = campaign.exit_code(cells, limits)
    for line in table([row for row in stored(NAME) if row["endpoint"] == options.target], options):
        print(line)
    return code


def wanted(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Return the cells that the command line asks for, as (kind, size)."""
    kinds = options.kind or [*SIZED, *(kind for kind in SWITCHED if _possible(kind, options.target))]
    cells = [(kind, size) for kind in kinds if kind in SIZED for size in options.size or SIZES]
    return cells + [(kind, ONE) for kind in kinds if kind in SWITCHED]


def comparison(kind: str, size: str, target: str, words: tuple[str, ...]) -> Comparison:
    """Return what is compared for one cell."""
    words = ("--scenario", str(BENCH.parent / "scenarios" / f"{target}.py"), *words)
    if kind in SWITCHED:
        before, after = SWITCHED[kind]
        return Comparison(BENCH, f"{kind}={before}", f"{kind}={after}", words)
    words = (*words, "--with", f"kind={kind}", *(["--allow-identical"] if float(size) == 0.0 else []))
    return Comparison(BENCH, "size=0", f"size={size}", words)


def _cell(kind: str, size: str, options: argparse.Namespace, seeds: Iterator[int] | None) -> Cell:
    compared = comparison(kind, size, options.target, campaign.words(options))
    return Cell(
        f"{kind} {size}",
        partial(_run, compared, (kind, size), options, seeds),
        [
            row
            for row in stored(NAME)
            if (row["kind"], row["size"], row["endpoint"]) == (kind, size, options.target)
            and campaign.same_words(row, options)
        ],
        compared.budget_s + OVERHEAD_S,
    )


def _run(
    compared: Comparison, cell: tuple[str, str], options: argparse.Namespace, seeds: Iterator[int] | None
) -> Row:
    with compare(compared, next(seeds) if seeds else None, options.keep) as ran:
        row = row_of(ran)
        known, fault = _truth(ran, row, *cell)
        row = {
            "kind": cell[0],
            "size": cell[1],
            "endpoint": options.target,
            "words": campaign.words(options),
            "truth": known,
            "truth_fault": fault,
            **row,
        }
        append(NAME, [row])
    return row


def _truth(ran: Ran, row: Row, kind: str, size: str) -> tuple[dict[str, float], str]:
    """Return the truth of a run, or why it is not known."""
    judged = [one["generations"] for one in row["metrics"].values()]
    if ran.run is None or not judged:
        return {}, "the run was not judged"
    if kind in SIZED and float(size) == 0.0:
        return dict.fromkeys(truth.METRICS, 0.0), ""
    try:
        return truth.measure(ran.run, ran.accounts, kind, max(judged)), ""
    except (truth.UnknownTruthError, LoadstoneError) as error:
        return {}, str(error)


def table(rows: list[Row], options: argparse.Namespace) -> Iterator[str]:
    """Tell of one endpoint's rows: a line for each kind, size and metric."""
    settings, shown, others = campaign.choose_settings(rows, options.settings)
    if not shown:
        yield "no run is stored" + (f"; of other settings: {sum(others.values())}" if others else "")
        return
    design = shown[-1]["design"]
    machines = Counter(row["machine"]["fingerprint"] for row in shown)
    yield (
        f"endpoint {options.target}, settings {settings}: margin ±{design['margin']:.1%}, "
        f"alpha {design['alpha']:.1%}, budget {design['budget_s']:.0f} s; "
        f"machines: {', '.join(f'{name} ({number} runs)' for name, number in machines.items())}"
    )
    yield HEADER
    cells = {(row["kind"], row["size"]): None for row in shown}
    for kind, size in sorted(cells, key=_place):
        yield from _cell_lines(
            kind, size, [row for row in shown if (row["kind"], row["size"]) == (kind, size)]
        )
    for name, number in others.items():
        yield f"kept, not shown: {number} runs of settings {name}"


HEADER = (
    f"{'kind':6}{'size':>5}  {'metric':14}{'runs':>5}{'called':>8}{'95% interval':>15}{'after':>8}"
    f"{'truth':>9}{'bias ± SE':>18}{'covered':>9}{'resid. SD':>11}"
)


def _cell_lines(kind: str, size: str, rows: list[Row]) -> Iterator[str]:
    for metric in metric_names(rows):
        found = accuracy(rows, metric)
        if found is not None and (metric != "errors" or found.called):
            yield f"{kind:6}{size:>5}  {metric:14}{_line(found)}"
    invalid = sum(any(one["verdict"] == INVALID for one in row["metrics"].values()) for row in rows)
    if invalid:
        yield f"{'':11}  latency declared invalid in {invalid} of {len(rows)} runs"
    for reason, number in Counter(row["failed"] for row in rows if row["failed"]).most_common():
        yield f"{'':11}  counted apart: {number} × {reason}"
    for reason, number in Counter(r["truth_fault"] for r in rows if r["truth_fault"]).most_common():
        yield f"{'':11}  truth not known: {number} × {reason}"


def _line(found: Accuracy) -> str:
    low, high = wilson(found.called, found.runs)
    after = "" if math.isnan(found.call_s) else f"{found.call_s:.0f} s"
    bias = "" if math.isnan(found.bias) else f"{found.bias:+.2%} ± {found.bias_se:.2%}"
    wrong = f"  called the wrong way: {found.wrong_way}" if found.wrong_way else ""
    return (
        f"{found.runs:>5}{found.called / found.runs:>8.0%}{f'[{low:.0%}, {high:.0%}]':>15}{after:>8}"
        f"{found.truth:>+9.2%}{bias:>18}{f'{found.covered}/{found.known}':>9}{found.residual_sd:>11.2%}{wrong}"
    )


def _place(cell: tuple[str, str]) -> tuple[int, float]:
    kinds = (*SIZED, *SWITCHED)
    return kinds.index(cell[0]), 0.0 if cell[1] == ONE else float(cell[1])


def _possible(kind: str, target: str) -> bool:
    """The item is found by its key: no index of ours is in play."""
    return (kind, target) != ("index", "item")


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = campaign.parser(__doc__ or "")
    parser.add_argument("--kind", nargs="+", choices=(*SIZED, *SWITCHED), help="all by default")
    parser.add_argument("--size", nargs="+", choices=("0", *SIZES), help="percent; by default 0.5 1 2 5")
    parser.add_argument("--target", choices=("list", "item"), default="list", help="endpoint (%(default)s)")
    options = parser.parse_args(argv)
    if any(not _possible(kind, options.target) for kind in options.kind or ()):
        parser.error("the item is found by its key: there is no index to drop")
    return options


if __name__ == "__main__":
    sys.exit(main())
