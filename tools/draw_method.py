"""Draw the picture of docs/method.md: `python tools/draw_method.py`, from the root of the repository."""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

PICTURE = Path("docs") / "images" / "method.svg"
BEFORE, AFTER, INK, MUTED, BAND, GRID = "#8a6d00", "#0072b2", "#16191d", "#59626d", "#e3ecf4", "#d5d9dd"
GOOD, BAD, SAME, OPEN = "#00795a", "#b84300", "#0072b2", "#7a6100"
WIDTH, HEIGHT = 1010, 388
FIRST = "baabbababab"
"""Who was sent first in each pair: before or after."""
GENERATIONS = 8
EFFECT, SPREAD, HALF = -0.20, 0.035, 0.055
"""Log effect of the drawn example, its SD between generations, half of its interval."""
Point = tuple[float, float]


def text(at: Point, words: str, size: int = 13, fill: str = MUTED, *, anchor: str = "start") -> str:
    """Return one line of text; sizes from 15 up are titles."""
    weight = ' font-weight="600"' if size > 14 else ""  # noqa: PLR2004 - the two sizes of the picture
    place = f'x="{at[0]:g}" y="{at[1]:g}" font-size="{size}"'
    return f'<text {place} fill="{fill}" text-anchor="{anchor}"{weight}>{words}</text>'


def line(one: Point, other: Point, stroke: str = GRID, width: float = 1, more: str = "") -> str:
    """Return a straight line."""
    ends = f'x1="{one[0]:.1f}" y1="{one[1]:.1f}" x2="{other[0]:.1f}" y2="{other[1]:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{width:g}"{more}/>'


def bar(at: Point, height: float, fill: str, *, hollow: bool) -> str:
    """Return a request: the higher, the slower; hollow where it was sent second."""
    shape = f'x="{at[0]:.1f}" y="{at[1] - height:.1f}" width="8" height="{height:.1f}" rx="2"'
    return f'<rect {shape} fill="{"#fff" if hollow else fill}" stroke="{fill}" stroke-width="1.5"/>'


def dot(at: Point, fill: str, *, hollow: bool) -> str:
    """Return the vote of a generation; hollow where *after* was started first."""
    shape = f'cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5.5"'
    return f'<circle {shape} fill="{"#fff" if hollow else fill}" stroke="{fill}" stroke-width="2"/>'


def pairs(draw: random.Random) -> list[str]:
    """Draw pairs of requests on a machine that is slow for a while."""
    left, floor = 24, 238
    parts = [
        text((left, 32), "1  Every request, twice", 16, INK),
        text((left, 54), "to both variants, back to back, in random order."),
        text((left, 72), "A slow moment of the machine hits both."),
        f'<rect x="{left + 104}" y="112" width="106" height="{floor - 112}" fill="#f4f1e6"/>',
        text((left + 157, 106), "the machine is slow", 12, anchor="middle"),
        line((left, floor), (left + 286, floor), MUTED),
    ]
    for pair, first in enumerate(FIRST):
        mood = 1.0 + 0.75 * math.exp(-(((pair - 5.4) / 1.5) ** 2)) + draw.uniform(-0.08, 0.08)
        order = [(BEFORE, 1.0), (AFTER, math.exp(EFFECT))]
        for place, (fill, cost) in enumerate(order if first == "b" else order[::-1]):
            height = 62 * mood * cost * draw.uniform(0.97, 1.03)
            parts.append(bar((left + 5 + pair * 26 + place * 10, floor), height, fill, hollow=False))
    parts += [
        bar((left, 268), 10, BEFORE, hollow=False), text((left + 14, 268), "before"),
        bar((left + 72, 268), 10, AFTER, hollow=False), text((left + 86, 268), "after"),
        text((left + 134, 268), "height: how long it took", 12),
    ]  # fmt: skip
    return parts


def votes(draw: random.Random) -> list[str]:
    """Draw one vote a generation, and the interval that they give together."""
    left, top, scale = 352, 112, 126 / 0.36
    parts = [
        text((left, 32), "2  Every fresh start, one vote", 16, INK),
        text((left, 54), "All processes are started anew, again and again;"),
        text((left, 72), "who starts first alternates. Thousands of requests"),
        text((left, 90), "of one start are still a single vote."),
    ]

    def height(value: float) -> float:
        return top + 8 - value * scale

    for share in (0.0, -0.1, -0.2, -0.3):
        y = height(math.log1p(share))
        parts.append(line((left + 34, y), (left + 292, y), MUTED if share == 0 else GRID))
        parts.append(
            text((left + 28, y + 4), f"{share:+.0%}".replace("-", "−") if share else "0", 12, anchor="end")
        )
    low, high = height(EFFECT - HALF), height(EFFECT + HALF)
    shape = f'x="{left + 34}" y="{high:.1f}" width="258" height="{low - high:.1f}"'
    parts.append(f'<rect {shape} fill="{GOOD}" opacity=".14"/>')
    parts.append(line((left + 34, height(EFFECT)), (left + 292, height(EFFECT)), GOOD, 1.5))
    for place in range(GENERATIONS):
        value = EFFECT + draw.gauss(0, SPREAD) + (0.012 if place % 2 else -0.012)
        parts.append(dot((left + 54 + place * 31, height(value)), GOOD, hollow=bool(place % 2)))
    parts += [
        dot((left + 8, 264), GOOD, hollow=False), text((left + 20, 268), "before first"),
        dot((left + 112, 264), GOOD, hollow=True), text((left + 124, 268), "after first"),
        text((left + 200, 268), "stripe: the interval", 12),
    ]  # fmt: skip
    return parts


def verdicts() -> list[str]:
    """Draw where an interval may lie, and what that is called."""
    left, top, middle, margin = 690, 112, 800, 26
    parts = [
        text((left, 32), "3  The interval decides", 16, INK),
        text((left, 54), "It holds the truth, however often one looked,"),
        text((left, 72), "in all but 1% of runs. Its place is the verdict."),
        f'<rect x="{middle - margin}" y="{top - 4}" width="{2 * margin}" height="142" fill="{BAND}"/>',
        line((middle, top - 4), (middle, top + 138), MUTED),
        text((middle, top + 156), "shaded: too small to matter", 12, anchor="middle"),
        text((left, top - 10), "← less", 12),
        text((middle, top - 10), "no change", 12, anchor="middle"),
        text((middle + 84, top - 10), "more →", 12, anchor="end"),
    ]
    rows = (
        ("improved", GOOD, -88, -42),
        ("regressed", BAD, 22, 80),
        ("equivalent", SAME, -18, 14),
        ("inconclusive", OPEN, -58, 34),
    )
    for place, (name, fill, low, high) in enumerate(rows):
        y = top + 16 + place * 36
        parts.append(line((middle + low, y), (middle + high, y), fill, 3))
        parts += [line((middle + end, y - 6), (middle + end, y + 6), fill, 3) for end in (low, high)]
        parts.append(dot((middle + (low + high) / 2, y), fill, hollow=False))
        parts.append(text((middle + 98, y + 4), name, 13, fill))
    return parts


def picture() -> str:
    """Return the whole picture, the same each time."""
    draw = random.Random(4)  # noqa: S311 - made-up data of a picture
    foot = (
        "An honest “inconclusive” says which change it could have seen, and what would settle it.",
        "Exact facts need no interval: SQL queries, rows and bytes of each request are counted on the wire.",
    )
    parts = [*pairs(draw), *votes(draw), *verdicts(), line((24, 304), (WIDTH - 24, 304))]
    parts += [text((24, 334 + 24 * place), words, 14, INK) for place, words in enumerate(foot)]
    label = "Twin requests on both variants; one vote per fresh start; the interval's place is the verdict"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}" '
        'font-family="system-ui, sans-serif">'
    )
    back = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([head, back, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")
