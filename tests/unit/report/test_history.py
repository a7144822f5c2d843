"""A history on a terminal."""

import io
import math

import msgspec
from rich.console import Console

from loadstone.record.history import HistoryRow
from loadstone.report import history
from loadstone.verdict.history import make_series


def rows(metric, kind, values, unit):
    return [
        HistoryRow(
            run=f"run-{index}",
            at=f"2026-01-{index + 1:02}",
            experiment="browse.py small pair",
            machine="m",
            base="v1",
            head=f"{index:040x}",
            subject="evil \x1b[31m subject",
            metric=metric,
            endpoint="",
            unit=unit,
            kind=kind,
            before=1.0,
            after=value,
            estimate=math.expm1(value) if kind == "ratio" else value,
            low=0.0,
            high=0.0,
        )
        for index, value in enumerate(values)
    ]


def test_changes_come_first_and_name_the_commit():
    steady = [0.001 * (-1) ** index for index in range(20)]
    moved = [0.0, 0.002, -0.001, 0.001] * 3 + [0.1, 0.102, 0.099, 0.101] * 2
    series = make_series([*rows("cpu", "ratio", steady, "s"), *rows("latency_mean", "ratio", moved, "us")])
    stream = io.StringIO()
    history.render(series, Console(file=stream, width=300, color_system=None))
    text = stream.getvalue()
    assert text.startswith("mean latency  (browse.py small pair, 20 runs)")
    assert "from run 13 on: 000000000000" in text
    assert "\x1b" not in text
    assert msgspec.json.encode(history.as_dict(series))


def test_bars_show_the_last_runs_and_survive_a_flat_series():
    assert history.bars([1.0, 1.0]) == "▁▁"
    assert history.bars([0.0, 1.0, math.inf]) == "▁█"
    assert len(history.bars([float(one) for one in range(500)])) == history.WIDTH


def test_counts_are_told_as_counts():
    series = make_series(rows("queries", "exact", [2.0, 2.0, 3.0, 3.0], "count"))
    stream = io.StringIO()
    history.render(series, Console(file=stream, width=300, color_system=None))
    assert "2 → 3" in stream.getvalue()
    assert "+1 from run 3 on" in stream.getvalue()
