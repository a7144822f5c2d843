"""What `loadstone doctor --noise` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadstone.config.units import format_duration
from loadstone.lanes.design import Noise
from loadstone.lanes.floor import MOST_S, Outlook
from loadstone.lanes.health import LOUD_NOISE
from loadstone.record.noise import NoiseProfile
from loadstone.report.quantities import share, significant


def render_profile(console: Console, profile: NoiseProfile, path: Path) -> None:
    """Print what the noise is made of, and where it is kept."""
    bound = ", each on a core of its own" if profile.pinned else ""
    steal = "unknown" if profile.steal is None else f"{profile.steal:.1%}"
    console.print(
        f"\nNoise of this machine: {profile.generations} generations of {profile.generation_s:.1f} s, "
        f"{profile.tracks} at a time{bound}"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("a pair", f"{profile.pair_sd:.1%}", "SD of its log ratio, at one pace of the core")
    table.add_row(
        "between starts",
        f"{profile.start_sd:.2%}",
        f"SD; {profile.start_sd_low:.2%} to {profile.start_sd_high:.2%} with 90% probability",
    )
    table.add_row("the pace", f"{profile.pace_explained:.0%}", "of a pair's variance, taken away already")
    table.add_row("turnover", f"{profile.turnover_s:.1f} s", "a generation beside measuring")
    table.add_row("requests", f"{profile.request_s * 1e3:.1f} ms", f"each, {profile.pairs:,} pairs of them")
    table.add_row("steal", steal, "of the CPU time, taken by the host")
    console.print(table)
    if profile.others_busy > LOUD_NOISE:
        console.print(f"Other programs used {profile.others_busy:.0%} of the CPU: measure without them.")
    console.print(f"kept in {path}; compare plans with it", soft_wrap=True)


def render_outlook(console: Console, outlooks: Sequence[Outlook]) -> None:
    """Print a row an effect and a column a request time: the time for 80% and for 95% power."""
    requests = list(dict.fromkeys(one.request_s for one in outlooks))
    low, high = sorted({one.power for one in outlooks})
    console.print(
        f"\nMinutes to see a change of the mean latency in {low:.0%} of runs ({high:.0%}), by request time:"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("change", justify="right")
    for request_s in requests:
        table.add_column(f"{request_s * 1e3:g} ms", justify="right", no_wrap=True)
    for effect in dict.fromkeys(one.effect for one in outlooks):
        cells = [
            _cell([one for one in outlooks if one.effect == effect and one.request_s == request_s])
            for request_s in requests
        ]
        table.add_row(share(effect), *cells)
    console.print(table)
    console.print(
        "Of measuring, beside preparing and probing, for a service that takes "
        f"{Noise().turnover_s:g} s to start over; its own noise comes on top of the machine's.",
        soft_wrap=True,
    )


def _cell(outlooks: Sequence[Outlook]) -> str:
    first, second = (one.seconds for one in sorted(outlooks, key=lambda one: one.power))
    if first is None:
        return f"not within {format_duration(MOST_S)}"
    more = "more" if second is None else significant(second / 60, 2)
    return f"{significant(first / 60, 2)} ({more})"
