"""Flame graphs of two sides on one scale: width is cost, colour is what the other side costs less or more.

After Gregg's differential flame graphs (https://www.brendangregg.com/blog/2014-11-09/differential-flame-graphs.html);
both sides are drawn, because what is gone can be seen only where it was. The outermost call is on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from loadstone.record.profiled import Profile
from loadstone.report import quantities, safe
from loadstone.report.charts import svg
from loadstone.stats.sampling import beyond_chance

ROW = 19
"""Height of a frame in pixels, the gap below it included."""
LEAST_WIDTH = 0.25
"""Percent of the whole below which a frame is not drawn."""
READABLE = 2.5
"""Percent of the whole from which on a frame has a text."""
STEPS = (0.01, 0.05, 0.2)
"""Changes, as shares of the costlier side, from which on a colour is deeper."""
CHAIN_SHARE = 0.95
"""A call of which so much is spent in the one thing that it calls is drawn as one with that."""


@dataclass(frozen=True)
class Call:
    """One call at its place in the stacks of both sides; costs in CPU microseconds a request."""

    depth: int
    name: str
    file: str
    costs: tuple[float, float]
    changed: bool
    """Whether the costs differ by more than sampling does."""
    last: str = ""
    """Where it stands for a chain of calls: the innermost."""
    hidden: int = 0
    """Calls that it stands for beside the outermost."""

    @property
    def title(self) -> str:
        """Return its name, or the ends of the chain."""
        return f"{self.name} … {self.last} (+{self.hidden})" if self.hidden else self.name


def split(frame: str) -> tuple[str, str]:
    """Return function and file of `function (file)`, harmless to look at."""
    function, bracket, file = frame.rpartition(" (")
    if not bracket or not file.endswith(")"):
        return safe.name(frame), ""
    return safe.name(function), safe.name(file[:-1])


def calls(profile: Profile, place: int, weights: tuple[float, float]) -> list[Call]:
    """Return the calls of the baseline and of the side at `place`, chains as one."""
    found = []
    for depth, number, samples in profile.tree:
        before, after = samples[0], samples[place]
        if before or after:
            costs = before * weights[0], after * weights[1]
            changed = beyond_chance(before, after, *weights)
            found.append(Call(depth, *split(profile.frames[number]), costs, changed))
    return list(_shortened(found))


def draw(calls: Sequence[Call], side: int, whole: tuple[float, float], label: str) -> Markup:
    """Return the flame graph of one side as a tree that can be walked by keyboard.

    Args:
        calls: of both sides.
        side: 0 draws what the baseline costs, 1 what the other does.
        whole: what a request costs on each side; the larger one is as wide as the drawing.
        label: what it is of.
    """
    widest = max(*whole, 1e-9)
    drawn = list(_placed(calls, side, 100 / widest))
    frames = [_frame(call, left, width, whole) for call, left, width in drawn]
    rows = 1 + max((call.depth for call, _, _ in drawn), default=0)
    return svg.element(
        "svg",
        *frames,
        width="100%",
        height=rows * ROW,
        class_="chart flame",
        role="tree",
        aria_label=label,
    )


def _shortened(found: Sequence[Call]) -> Iterator[Call]:
    """Yield the calls with each chain, in which one call does nothing but make the next, as one call.

    Frameworks wrap a request dozens of times before anything happens.
    """
    shift = [0]
    """By how much the calls of each depth move up."""
    place = 0
    while place < len(found):
        first = last = found[place]
        while (below := _only_call(found, place)) is not None and _holds(below, first):
            place, last = place + 1, below
        del shift[first.depth + 1 :]
        up = shift[first.depth]
        shift += [up + last.depth - first.depth] * (last.depth + 2 - len(shift))
        shift[last.depth + 1] = up + last.depth - first.depth
        yield replace(first, depth=first.depth - up, last=last.name, hidden=last.depth - first.depth)
        place += 1


def _only_call(found: Sequence[Call], place: int) -> Call | None:
    """Return the one thing that a call calls; None where it is none or several."""
    depth, below = found[place].depth, place + 1
    if below == len(found) or found[below].depth != depth + 1:
        return None
    end = next((each for each in range(below + 1, len(found)) if found[each].depth <= depth + 1), len(found))
    return None if end < len(found) and found[end].depth == depth + 1 else found[below]


def _holds(below: Call, above: Call) -> bool:
    return all(part >= CHAIN_SHARE * whole for part, whole in zip(below.costs, above.costs, strict=True))


def _placed(calls: Sequence[Call], side: int, scale: float) -> Iterator[tuple[Call, float, float]]:
    """Yield the calls that are wide enough on one side, with left edge and width in percent."""
    ends = [0.0]
    """Where the next call of each depth begins."""
    for call in calls:
        del ends[call.depth + 1 :]
        left, width = ends[call.depth], call.costs[side] * scale
        ends[call.depth] = left + width
        ends.append(left)
        if width >= LEAST_WIDTH:
            yield call, left, width


def _frame(call: Call, left: float, width: float, whole: tuple[float, float]) -> Markup:
    step = _step(call, whole)
    kind = "same" if not step else f"{'less' if step < 0 else 'more'} step{abs(step)}"
    sign = "" if not step else "▾ " if step < 0 else "▴ "
    own = svg.element("rect", width="100%", height=ROW - 1)
    parts = [own]
    if width >= READABLE:
        parts.append(svg.text(4, ROW - 6, sign + call.title[:160]))
    return svg.element(
        "svg",
        *parts,
        x=svg.percent(left),
        y=call.depth * ROW,
        width=svg.percent(width),
        height=ROW,
        class_=f"frame {kind}",
        role="treeitem",
        aria_level=call.depth + 1,
        aria_label=_told(call, whole),
        tabindex=-1,
    )


def _step(call: Call, whole: tuple[float, float]) -> int:
    """Return how deep the colour is: negative where the call costs less than on the baseline."""
    change = (call.costs[1] - call.costs[0]) / max(*whole, 1e-9)
    depth = sum(abs(change) >= step for step in STEPS) if call.changed else 0
    return -depth if change < 0 else depth


def _told(call: Call, whole: tuple[float, float]) -> str:
    before, after = (quantities.microseconds(one) if one else "none" for one in call.costs)
    where = f" ({call.file})" if call.file else ""
    return (
        f"{call.title}{where}: {before} {quantities.ARROW} {after} of CPU a request{_in_words(call, whole)}"
    )


def _in_words(call: Call, whole: tuple[float, float]) -> str:
    if not call.costs[1] and call.changed:
        return ", gone"
    if not call.costs[0] and call.changed:
        return ", new"
    step = _step(call, whole)
    return "" if not step else ", less" if step < 0 else ", more"
