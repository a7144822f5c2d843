"""How long do other ways of judging need, to see what Loadstone sees?

`measure` runs two identical variants of a small real app under each measuring scheme,
in random order, on the same machine and in the same session, and appends every unit to
data/versus.jsonl. It takes the whole machine.

`table` judges the stored units by each method's own rule, one estimator throughout
(the mean capped at the pooled p99), with an effect injected by multiplying *after*: false
alarms, power at 1, 2 and 5% within the same machine time, and the machine time that
each needs to call a 1% change with 95% power at 1% false alarms.

Examples:
    python benchmarks/accuracy/versus.py measure --cycles 12
    python benchmarks/accuracy/versus.py measure --minutes 2 --scheme restarts-5 --scheme duet
    python benchmarks/accuracy/versus.py table
    python benchmarks/accuracy/versus.py table --budget 600 --no-save
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import comparison
from comparison import EFFECTS, METHODS, SHIPPED, Evidence, evidence_of
from ledger import append, stored
from machine_time import Aim, in_place
from progress import say, steps
from rivals import Units
from schemes import START_S, WARM_S, Ground, Row, Subject, duet, loadstone, restarts

from loadstone.config.units import format_duration, parse_duration
from loadstone.errors import LoadstoneError

NAME = "versus"
TARGET = Path(__file__).parent / "target" / "loadstone.toml"
PATHS = tuple(f"/products?shelf={shelf}&page={page}" for shelf in range(1, 11) for page in range(14))
"""What the target's own scenario asks for."""
DUET_S = 10.0
ROUGH = 10


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to measure, how often in a cycle, and about how long a unit takes."""

    times: int
    seconds: float
    measure: Callable[[Ground, int], Row]


def schemes(budget: str) -> dict[str, Scheme]:
    """Return the schemes by name."""
    start = START_S + WARM_S

    def restarted(block_s: float, times: int) -> Scheme:
        return Scheme(times, 2 * (block_s + start), lambda ground, seed: restarts(ground, block_s, seed))

    return {
        "restarts-5": restarted(5.0, 4),
        "restarts-20": restarted(20.0, 2),
        "restarts-60": restarted(60.0, 2),
        "duet": Scheme(4, DUET_S + start + 2.0, lambda ground, seed: duet(ground, DUET_S, seed)),
        "loadstone": Scheme(
            1, 1.1 * parse_duration(budget) + 15.0, lambda ground, seed: loadstone(ground, budget, seed)
        ),
    }


def main(argv: list[str] | None = None) -> int:
    """Measure, or print the table."""
    options = _options(argv)
    return _measure(options) if options.command == "measure" else _table(options)


def _measure(options: argparse.Namespace) -> int:
    """Measure units in random order, each appended as soon as it is there."""
    known = schemes(options.budget)
    chosen = {name: known[name] for name in options.scheme or known}
    plan = list(_visits(chosen, options.cycles, options.seed))
    limit = options.minutes * 60.0 if options.minutes else float("inf")
    total = sum(chosen[name].seconds for _, name in plan)
    say(f"{len(plan)} units in random order, about {format_duration(min(total, limit))}")
    subject = Subject(options.config, options.choice, tuple(options.path or PATHS))
    ground, begin = Ground(subject), time.monotonic()
    common = {"session": int(time.time()), "target": options.config.resolve().parent.name}
    common |= {"choice": options.choice}
    try:
        with steps(len(plan)) as step:
            for number, (cycle, name) in enumerate(plan):
                if time.monotonic() - begin + chosen[name].seconds > limit:
                    continue
                step(f"cycle {cycle + 1} of {options.cycles}: {name}")
                row = chosen[name].measure(ground, options.seed * 10_000 + number)
                append(NAME, [{**common, "cycle": cycle, "number": number, **row}])
    except KeyboardInterrupt:
        say("interrupted: what was measured is kept")
        return 130
    finally:
        ground.leave()
    return 0


def _visits(chosen: dict[str, Scheme], cycles: int, seed: int) -> Iterator[tuple[int, str]]:
    """Yield (cycle, scheme), shuffled within each cycle."""
    draw = random.Random(seed)
    for cycle in range(cycles):
        visits = [name for name, scheme in chosen.items() for _ in range(scheme.times)]
        draw.shuffle(visits)
        yield from ((cycle, name) for name in visits)


def _table(options: argparse.Namespace) -> int:
    """Print the table of the newest machine and target; 2 where nothing was measured."""
    rows = [row for row in stored(NAME) if row["at"] >= options.since]
    if not rows:
        say("nothing is stored: measure first")
        return 2
    newest = _origin(rows[-1])
    own = [row for row in rows if _origin(row) == newest]
    if len(own) < len(rows):
        say(f"{len(rows) - len(own)} units of other machines or targets are left out")
    evidence, aim = evidence_of(own), Aim(options.change, options.power, options.alpha)
    with steps(len(METHODS) + 3) as step:
        found = comparison.compare(evidence, aim, options.budget, step)
    _print(found, evidence, aim, options.budget)
    if not options.no_save:
        common = {"of": newest, "since": own[0]["at"], "until": own[-1]["at"], "budget_s": options.budget}
        common |= {"change": aim.effect, "power": aim.power, "alpha": aim.alpha, "effects": EFFECTS}
        say(f"appended to {append('versus-table', [{**common, **row} for row in found])}")
    return 0


def _origin(row: Row) -> list[str]:
    return [row["machine"]["fingerprint"], row["target"], row["choice"]]


def _print(rows: list[Row], evidence: Evidence, aim: Aim, budget_s: float) -> None:
    """Print the table, and below it what it rests on."""
    within = f"called within {format_duration(budget_s)}"
    goal = f"machine time to call {aim.effect:.0%}"
    print(f"{'':32} {within:^37}  {goal:^36}")
    effects = "".join(f"{effect:>8.0%}" for effect in EFFECTS[1:])
    print(f"{'method':32} {'false (meant)':>14}{effects}  {'':>9}  {'95% interval':^22} {'times ours':>10}")
    for row in rows:
        print(_line(row))
    print()
    for line in _notes(rows, evidence, aim, budget_s):
        print(line)


def _line(row: Row) -> str:
    meant = "-" if row["meant"] is None else f"{row['meant']:.1%}"
    calls = ["-" if math.isnan(one) else f"{one:.1%}" for one in row["calls"]]
    line = f"{row['method']:32} {calls[0]:>6} {'(' + meant + ')':>7}" + "".join(
        f"{one:>8}" for one in calls[1:]
    )
    if row["never"]:
        return f"{line}  {'never':>9}  {row['never']}"
    line += f"  {_time(row['seconds']):>9}"
    if "times_ours" in row:
        low, high = row["seconds_95"]
        line += f"  {_time(low) + ' to ' + _time(high):^22} {row['times_ours']:>10,.0f}"
        line += "  extrapolated" if row["extrapolated"] else ""
    return line


def _time(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for size, name in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * size:
            return "never" if math.isinf(seconds) else f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s"


LEGEND = """\
Called within {budget}: by each method's own rule, in experiments of as many units as fit,
  drawn with replacement from those measured, every level of after multiplied.
Machine time: for {power:.0%} power at {alpha:.0%} false alarms, from the units' variance; each method gets
  the test that its noise deserves. Extrapolated: beyond what was measured, with units taken
  for independent. Before-then-after: one long pair or pairs of the longest block, whichever
  is cheaper; short pairs, repeated, are interleaved restarts. Times ours: against a fifth of alpha."""


def _notes(rows: list[Row], evidence: Evidence, aim: Aim, budget_s: float) -> Iterator[str]:
    for one in evidence.restarts:
        yield f"before-then-after of {one.block_s:.0f} s each: {_spread(one)} pairs)"
    if len(evidence.restarts) > 1:
        fitted, need = in_place(evidence.restarts), comparison.longer_blocks(evidence, aim)
        floor, second = math.sqrt(fitted.floor), math.sqrt(fitted.within)
        yield f"  as the blocks grow: SD^2 = {floor:.2%}^2 + {second:.2%}^2 / seconds"
        long = _time(need.seconds)
        yield f"  {aim.effect:.0%} takes an SD of {aim.standard_error:.2%}; by one long pair: {long}"
    for one in evidence.duets:
        yield f"duet of {one.block_s:.0f} s: {_spread(one)} starts)"
    runs = evidence.runs
    if runs.d:
        count = sum(one.size for one in runs.d)
        called = next(row["seconds_to_call"] for row in rows if row["method"] == SHIPPED)
        yield f"loadstone: residual SD {runs.residual_sd:.2%} for each {runs.turn_s:.1f} s, all included"
        yield f"  {count} generations in {len(runs.d)} runs, {runs.alarms} with an alarm on any gating metric"
        yield f"  at a fifth of alpha {aim.effect:.0%} is called after {_time(called)} on average"
    if min(row["units"] for row in rows) < ROUGH:
        yield f"Fewer than {ROUGH} units of a kind: such times are rough, and their intervals too narrow."
    yield "\n" + LEGEND.format(budget=format_duration(budget_s), power=aim.power, alpha=aim.alpha)


def _spread(units: Units) -> str:
    return f"SD of the log ratio {float(units.contrasts.std(ddof=1)):.2%} ({units.duration_s.size}"


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("measure", help="measure units under each scheme, and append them")
    measure.add_argument("--cycles", type=int, default=12, help="of about 12 minutes each (%(default)s)")
    measure.add_argument("--minutes", type=float, help="stop before a unit that would take longer in all")
    measure.add_argument(
        "--scheme", action="append", choices=list(schemes("2m")), help="only these; repeatable"
    )
    measure.add_argument("--budget", default="3m", help="of a run of loadstone (%(default)s)")
    measure.add_argument("--config", type=Path, default=TARGET, help="the app's loadstone.toml (%(default)s)")
    measure.add_argument("--choice", default="size=0", help="the choice on both sides (%(default)s)")
    measure.add_argument("--path", action="append", help="what the other methods ask for; repeatable")
    measure.add_argument("--seed", type=int, default=1, help="of order, paths and runs (%(default)s)")
    table = commands.add_parser("table", help="judge the stored units by each method's own rule")
    for one in (measure, table):
        one.epilog = lines[1][lines[1].index("Examples:") :]
        one.formatter_class = argparse.RawDescriptionHelpFormatter
    table.add_argument("--budget", type=parse_duration, default="3m", help="of machine time (%(default)s)")
    table.add_argument("--change", type=float, default=0.01, help="to be called (%(default)s)")
    table.add_argument("--power", type=float, default=0.95, help="with which it is called (%(default)s)")
    table.add_argument("--alpha", type=float, default=0.01, help="false alarms, of all alike (%(default)s)")
    table.add_argument(
        "--since", default="", help="leave out what was measured before, such as 2026-11-24T08"
    )
    table.add_argument("--no-save", action="store_true", help="print only")
    return parser.parse_args(argv)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LoadstoneError, OSError, RuntimeError, ValueError) as error:
        sys.exit(f"versus: {error}")
