"""Two results side by side: only where machine and workload are alike, else refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.errors import ConfigurationError
from loadstone.record.result import Contrast, Result
from loadstone.report import safe, wording

Key = tuple[str, str | None, str]
"""Metric, endpoint, variant."""


@dataclass(frozen=True)
class Pair:
    """One contrast as each of two results has it; None where one lacks it."""

    first: Contrast | None
    second: Contrast | None

    @property
    def either(self) -> Contrast:
        """The contrast, from whichever result has it."""
        found = self.first or self.second
        if found is None:
            raise ConfigurationError("a pair of contrasts holds neither")
        return found

    @property
    def agree(self) -> bool | None:
        """Whether the intervals overlap; None where one of them is missing."""
        ends = [
            side.effect for side in (self.first, self.second) if side is not None and side.effect is not None
        ]
        if len(ends) < 2 or ends[0].kind != ends[1].kind:  # noqa: PLR2004 - it takes two to agree
            return None
        return ends[0].low <= ends[1].high and ends[1].low <= ends[0].high


def identity(one: Result) -> dict[str, str]:
    """Return what two results must share to be compared: machine and workload."""
    return {
        "machine": f"{one.machine.cpu_model}, {one.machine.cores} cores ({one.machine.fingerprint})",
        "scenario": one.experiment.scenario,
        "size": one.experiment.size,
        "users": str(one.experiment.users),
        "state": one.experiment.state,
    }


def unlike(first: Result, second: Result) -> dict[str, tuple[str, str]]:
    """Return what keeps two results from being compared: name to both values."""
    sides = [identity(one) for one in (first, second)]
    return {name: (sides[0][name], sides[1][name]) for name in sides[0] if sides[0][name] != sides[1][name]}


def pairs(first: Result, second: Result) -> list[Pair]:
    """Return every contrast of both results, deciding ones over all endpoints first.

    Raises:
        ConfigurationError: machine, scenario, size, users or state differ; the cause names which.
    """
    found = unlike(first, second)
    if found:
        told = "; ".join(
            f"{name}: {safe.name(one)} and {safe.name(two)}" for name, (one, two) in found.items()
        )
        raise ConfigurationError(
            f"these two runs cannot be compared: they differ in {', '.join(found)}",
            cause=told,
            remedy="repeat one of them under the other's conditions; its report ends with the exact command",
        )
    sides = [{_key(one): one for one in result.contrasts} for result in (first, second)]
    keys = dict.fromkeys([*sides[0], *sides[1]])
    matched = [Pair(sides[0].get(key), sides[1].get(key)) for key in keys]
    return sorted(matched, key=lambda pair: (pair.either.endpoint is not None, not pair.either.gating))


def as_dict(first: Result, second: Result) -> dict[str, Any]:
    """Return the comparison for JSON; raises as `pairs` does."""
    return {
        "first": {"id": first.run.id, "verdict": str(first.verdict.verdict)},
        "second": {"id": second.run.id, "verdict": str(second.verdict.verdict)},
        "contrasts": [
            {
                "metric": pair.either.metric,
                "endpoint": pair.either.endpoint,
                "variant": pair.either.variant,
                "gating": pair.either.gating,
                "first": _side(pair.first),
                "second": _side(pair.second),
                "intervals_overlap": pair.agree,
            }
            for pair in pairs(first, second)
        ],
    }


def render(first: Result, second: Result, console: Console) -> None:
    """Print the comparison as a table; raises as `pairs` does."""
    matched = pairs(first, second)
    for place, result in (("1", first), ("2", second)):
        sign = wording.VERDICTS[result.verdict.verdict]
        line = Text(f"run {place}  ", style="dim")
        line.append(f"{sign.symbol} {result.verdict.verdict}", style=sign.style)
        line.append(f"  {safe.name(result.run.id, 60)}: {safe.name(result.experiment.title, 60)}")
        console.print(line, highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("metric", "run 1", "run 2", ""):
        table.add_column(column, overflow="fold")
    for pair in matched:
        table.add_row(Text(_name(pair.either)), _cell(pair.first), _cell(pair.second), Text(_agreement(pair)))
    console.print(table)
    console.print(
        Text("Intervals that overlap do not tell the two runs apart.", style="dim"), highlight=False
    )


def _key(contrast: Contrast) -> Key:
    return contrast.metric, contrast.endpoint, contrast.variant


def _name(contrast: Contrast) -> str:
    label = wording.metric_label(contrast.metric)
    return label if contrast.endpoint is None else f"{label}, {safe.name(contrast.endpoint, 48)}"


def _agreement(pair: Pair) -> str:
    if pair.agree is None:
        return ""
    return "overlap" if pair.agree else "≠ differ"


def _side(contrast: Contrast | None) -> dict[str, Any] | None:
    if contrast is None:
        return None
    if contrast.effect is None:
        return {"available": False, "reason": contrast.unavailable_reason}
    effect = contrast.effect
    return {
        "available": True,
        "before": contrast.before,
        "after": contrast.after,
        "kind": effect.kind,
        "estimate": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "verdict": None if contrast.verdict is None else str(contrast.verdict),
    }


def _cell(contrast: Contrast | None) -> Text:
    if contrast is None:
        return Text("not measured", style="dim")
    if contrast.effect is None:
        return Text("not available", style="dim")
    style = "" if contrast.verdict is None else wording.VERDICTS[contrast.verdict].style
    text = Text(wording.estimate(contrast.effect, contrast.unit), style=style)
    interval = wording.interval(contrast.effect, contrast.unit)
    mark = "" if contrast.verdict is None else f" {wording.VERDICTS[contrast.verdict].symbol}"
    return text.append(mark).append(f"\n{interval}", style="not bold default")
