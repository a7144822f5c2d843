"""Two runs of one kind side by side, whatever they measured; refused where machine or workload differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.errors import ConfigurationError
from loadstone.report import quantities, safe
from loadstone.report.cards import Card
from loadstone.report.measures import Measure

AGAIN = "repeat one of them under the other's conditions; its report ends with the exact command"
CAUTION = {
    True: "Intervals that overlap do not tell the two runs apart.",
    False: "Numbers without an interval come from one run each: whether they differ by more than two runs of "
    "the same thing do is not known. To know, compare the variants: loadstone compare … --lane load.",
}
"""By whether all numbers have intervals."""


@dataclass(frozen=True)
class Pair:
    """One number as each of two runs has it; None where one lacks it."""

    first: Measure | None
    second: Measure | None

    @property
    def either(self) -> Measure:
        """The number, from whichever run has it."""
        found = self.first or self.second
        if found is None:
            raise ConfigurationError("a pair of numbers holds neither")
        return found

    @property
    def agree(self) -> bool | None:
        """Whether the intervals overlap; None where one of them is missing."""
        return _overlap(self.first, self.second)

    @property
    def ratio(self) -> float | None:
        """The second level over the first, less 1; None where it means nothing."""
        one, other = self.first, self.second
        if one is None or other is None or one.unit == "change" or not one.value:
            return None
        ratio = other.value / one.value - 1
        return ratio if math.isfinite(ratio) else None


def unlike(first: Card, second: Card) -> dict[str, tuple[str, str]]:
    """Return what keeps two runs from being compared: name to both values."""
    one, other = first.identity, second.identity
    names = ["kind"] if first.kind != second.kind else list(one)
    return {name: (one[name], other[name]) for name in names if one[name] != other.get(name)}


def pairs(first: Card, second: Card) -> list[Pair]:
    """Return every number of both runs; raises `ConfigurationError` where they are not alike."""
    found = unlike(first, second)
    if found:
        raise ConfigurationError(
            f"these two runs cannot be compared: they differ in {', '.join(found)}",
            cause="; ".join(f"{name}: {safe.name(a)} and {safe.name(b)}" for name, (a, b) in found.items()),
            remedy="name two runs of one kind" if "kind" in found else AGAIN,
        )
    sides = [{one.key: one for one in card.measures} for card in (first, second)]
    return [Pair(sides[0].get(key), sides[1].get(key)) for key in dict.fromkeys([*sides[0], *sides[1]])]


def as_dict(first: Card, second: Card) -> dict[str, Any]:
    """Return the comparison for JSON; raises as `pairs` does."""
    return {
        "kind": first.kind,
        "first": {"id": first.id, "result": first.word},
        "second": {"id": second.id, "result": second.word},
        "measures": [
            {
                "metric": pair.either.metric,
                "endpoint": pair.either.endpoint or None,
                "variant": pair.either.variant,
                "unit": pair.either.unit,
                "first": _side(pair.first),
                "second": _side(pair.second),
                "change": pair.ratio,
                "intervals_overlap": pair.agree,
            }
            for pair in pairs(first, second)
        ],
    }


def render(first: Card, second: Card, console: Console) -> None:
    """Print the comparison as a table; raises as `pairs` does."""
    matched = pairs(first, second)
    for place, card in (("1", first), ("2", second)):
        line = Text(f"run {place}  ", style="dim")
        line.append(card.word).append(f"  {safe.name(card.id, 60)}: {safe.name(card.title, 60)}")
        console.print(line, highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("metric", "run 1", "run 2", ""):
        table.add_column(column, overflow="fold")
    for pair in matched:
        table.add_row(Text(_name(pair)), _cell(pair.first), _cell(pair.second), Text(verdict(pair)))
    console.print(table)
    whole = all(pair.agree is not None for pair in matched)
    console.print(Text(CAUTION[whole], style="dim"), highlight=False)


def verdict(pair: Pair) -> str:
    """Return whether the intervals overlap; without intervals, by how much the second differs."""
    if pair.agree is not None:
        return "overlap" if pair.agree else "≠ differ"
    return "" if pair.ratio is None else quantities.signed_percent(pair.ratio, 1)


def _overlap(one: Measure | None, other: Measure | None) -> bool | None:
    if one is None or other is None:
        return None
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return None
    return one.low <= other.high and other.low <= one.high


def _name(pair: Pair) -> str:
    one = pair.either
    where = f", {safe.name(one.endpoint, 48)}" if one.endpoint else ""
    return f"{one.metric}{where}{f', {one.variant}' if one.variant else ''}"


def _side(one: Measure | None) -> dict[str, Any] | None:
    if one is None:
        return None
    value = one.value if math.isfinite(one.value) else None
    return {"value": value, "low": one.low, "high": one.high, "verdict": one.verdict or None}


def _cell(one: Measure | None) -> Text:
    if one is None:
        return Text("not measured", style="dim")
    text = Text(one.text)
    return text.append(f"\n{one.interval}", style="dim") if one.interval else text
