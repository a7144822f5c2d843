"""Two results side by side, or a refusal that names what differs."""

from __future__ import annotations

import io
import json

import pytest
from msgspec.structs import replace
from rich.console import Console

from loadstone.errors import LoadstoneError
from loadstone.report import diff


def on_machine(result, fingerprint):
    return replace(result, machine=replace(result.machine, fingerprint=fingerprint))


def test_unlike_machines_are_refused_by_name(results):
    with pytest.raises(LoadstoneError, match="differ in machine") as caught:
        diff.pairs(results.improved(), on_machine(results.improved(), "another"))
    assert "another" in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(("name", "value"), [("scenario", "other.py"), ("size", "large"), ("users", 64)])
def test_unlike_workloads_are_refused_by_name(results, name, value):
    first = results.improved()
    second = replace(first, experiment=replace(first.experiment, **{name: value}))
    with pytest.raises(LoadstoneError, match=f"differ in {name}"):
        diff.as_dict(first, second)


def test_everything_that_differs_is_named(results):
    first = results.improved()
    second = replace(on_machine(first, "x"), experiment=replace(first.experiment, users=9))
    assert list(diff.unlike(first, second)) == ["machine", "users"]


def test_deciding_metrics_over_all_endpoints_come_first(results):
    matched = diff.pairs(results.improved(), results.improved())
    assert [pair.either.metric for pair in matched[:4]] == ["latency_mean", "latency_p95", "cpu", "errors"]
    assert matched[-1].either.endpoint is not None


def test_intervals_overlap_or_differ(results):
    same = diff.pairs(results.improved(), results.improved())[0]
    apart = diff.pairs(results.improved(), results.equivalent())[0]
    assert same.agree is True
    assert apart.agree is False


def test_what_one_run_did_not_measure_is_neither(results):
    matched = diff.pairs(results.improved(), results.p99_unavailable())
    p99 = next(pair for pair in matched if pair.either.metric == "latency_p99")
    assert p99.agree is None


def test_the_table_is_for_json_too(results):
    told = json.loads(json.dumps(diff.as_dict(results.improved(), results.p99_unavailable())))
    p99 = next(one for one in told["contrasts"] if one["metric"] == "latency_p99")
    assert p99["second"]["available"] is False
    assert p99["first"]["estimate"] < 0
    assert told["first"]["verdict"] == "improved"


def test_the_terminal_shows_both_sides_within_80_columns(results):
    file = io.StringIO()
    diff.render(results.improved(), results.equivalent(), Console(file=file, width=80))
    text = file.getvalue()
    assert "✓ improved" in text
    assert "= equivalent" in text
    assert "≠ differ" in text
    assert max(map(len, text.splitlines())) <= 80
