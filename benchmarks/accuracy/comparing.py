"""One run of `loadstone compare` as a user runs it, and the row that is kept of it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadstone.config.load import load_project
from loadstone.config.units import parse_duration
from loadstone.errors import ExitCode

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHOP, BENCH = ROOT / "loadstone.toml", HERE / "target" / "loadstone.toml"
Row = dict[str, Any]

OF_THIS_RUN = frozenset(
    {
        "title", "command", "scenario", "scenario_sha256", "size", "seed", "variants", "generations",
        "generation_s", "max_generations", "looks", "nominal_p", "expected_effect", "noise_source",
        "spike_share",
    }
)  # fmt: skip
"""Fields of a plan that say what was compared, or follow from what a probe saw; the rest is the method."""
LATENCY_CHECK = "quiet gaps"
"""A check whose failure makes latencies invalid, and leaves CPU per request to be judged."""
OVERHEAD_S = 20.0
"""What a run takes beside its budget, where none is stored yet."""
STOPPING_S = 60.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is run, again and again, with new seeds."""

    config: Path
    before: str
    after: str
    options: tuple[str, ...] = ()
    """Further words, such as `--budget 3m`; none of them is the shipped defaults."""

    @property
    def budget_s(self) -> float:
        """The time budget that this run will have."""
        words = self.options
        if "--budget" in words:
            return parse_duration(words[words.index("--budget") + 1])
        return parse_duration(load_project(self.config).raw.compare.budget)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run went, and where its folders are while they last."""

    seed: int
    exit_code: int
    result: dict[str, Any] | None
    stderr: str
    run: Path | None
    """The run's folder, where there is one."""
    accounts: Path
    """Where servers that keep an account wrote it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run, as its journal opens."""

    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> str:
        """Return twelve hex digits over the measuring method; empty where the run never had a plan."""
        if not self.fields:
            return ""
        method = {name: value for name, value in self.fields.items() if name not in OF_THIS_RUN}
        method["controls"] = bool(self.fields.get("spike_share"))
        return hashlib.sha256(json.dumps(method, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def design(self) -> dict[str, Any]:
        """Return what tells of the run's power."""
        return {
            "alpha": self.fields.get("alpha"),
            "margin": self.fields.get("margin"),
            "budget_s": self.fields.get("budget_s"),
            "generation_s": self.fields.get("generation_s"),
            "generations": self.fields.get("max_generations"),
            "nominal_p": (self.fields.get("nominal_p") or [None])[-1],
        }


@contextmanager
def compare(comparison: Comparison, seed: int | None = None, keep: Path | None = None) -> Iterator[Ran]:
    """Run once; folders are gone afterwards unless `keep` names where runs shall stay.

    Raises:
        KeyboardInterrupt: somebody interrupted it.
    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="loadstone-accuracy-") as scratch:
        accounts = Path(scratch) / "accounts"
        accounts.mkdir()
        reports = keep or Path(scratch) / "reports"
        known = set(_runs(reports))
        code, out, error = _call(comparison, seed, reports, accounts)
        if code == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        fresh = [run for run in _runs(reports) if run not in known]
        yield Ran(seed, code, _decoded(out), error, fresh[-1] if fresh else None, accounts)


def row_of(ran: Ran) -> Row:
    """Return what is kept of a run, whatever became of it.

    `failed` says why nothing of the run may be counted; it is empty where the run
    was judged, also where a check left only its latencies invalid.
    """
    plan = read_plan(ran.run)
    row: Row = {
        "seed": ran.seed,
        "exit_code": ran.exit_code,
        "settings": plan.settings,
        "design": plan.design,
        "code": _code_version(),
        "failed": _failure(ran),
    }
    if ran.result is None:
        return row | {"metrics": {}, "verdict": "none", "alarm": False}
    result, times = ran.result, _generation_times(ran)
    gating = [one for one in result["contrasts"] if one["gating"] and one["available"]]
    return row | {
        "verdict": result["verdict"]["verdict"],
        "stop_reason": result["run"]["stop_reason"],
        "generations": len(result["generations"]),
        "duration_s": result["run"]["duration_s"],
        "alarm": any(one["detected"] for one in gating),
        "metrics": {metric_key(one): _metric(one, times) for one in gating},
        "effects": _effects(result),
    }


def metric_key(contrast: dict[str, Any]) -> str:
    """Return a contrast's metric, with its endpoint where it is not of all together."""
    return " ".join(part for part in (contrast["metric"], contrast["endpoint"]) if part)


def read_plan(run: Path | None) -> Plan:
    """Return the plan of a run; an empty one where the run never got so far."""
    try:
        with ((run or Path()) / "journal.jsonl").open(encoding="utf-8") as journal:
            return Plan(json.loads(journal.readline())["plan"])
    except (OSError, ValueError, KeyError):
        return Plan()


def _call(comparison: Comparison, seed: int, reports: Path, accounts: Path) -> tuple[int, bytes, str]:
    words = ["compare", comparison.before, comparison.after, "--config", str(comparison.config)]
    words += [*comparison.options, "--seed", str(seed), "--reports", str(reports), "--json", "-", "--quiet"]
    words += ["--no-profile"]  # what nobody looks at is not sampled
    child = subprocess.Popen(
        [sys.executable, "-m", "loadstone", *words],
        cwd=ROOT,
        env={**os.environ, "BENCH_RECORDS": str(accounts)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        out, error = child.communicate(timeout=3 * comparison.budget_s + 10 * OVERHEAD_S)
    except subprocess.TimeoutExpired:
        out, error = _end(child)
        return int(ExitCode.INVALID), b"", f"it took too long and was ended\n{error.decode(errors='replace')}"
    except KeyboardInterrupt:
        _end(child)
        raise
    return child.returncode, out, error.decode(errors="replace")


def _end(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Ask a run to end, and wait for it to put everything away."""
    child.send_signal(signal.SIGINT)
    try:
        return child.communicate(timeout=STOPPING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.communicate()


def _runs(reports: Path) -> list[Path]:
    return sorted(path.parent for path in reports.glob("*/journal.jsonl"))


def _decoded(out: bytes) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return None
    return found


def _failure(ran: Ran) -> str:
    """Return why nothing of the run may be counted, or nothing."""
    if ran.result is None:
        told = [line for line in ran.stderr.splitlines() if line.strip()]
        said = next(
            (line for line in told if line.startswith("error:")), told[-1] if told else "nothing said"
        )
        return f"exit code {ran.exit_code}: {said}"
    failed = [check["name"] for check in ran.result["checks"] if check["status"] == "fail"]
    if ran.result["run"]["status"] == "complete" or failed == [LATENCY_CHECK]:
        return "" if ran.result["contrasts"] else "no contrast"
    return "; ".join(ran.result["verdict"]["reasons"]) or ran.result["run"]["stop_reason"]


def _metric(contrast: dict[str, Any], times: list[float]) -> Row:
    effect = contrast["effect"]
    return {
        "kind": effect["kind"],
        "verdict": contrast["verdict"],
        "detected": contrast["detected"],
        "estimate": effect["estimate"],
        "low": effect["low"],
        "high": effect["high"],
        "level": effect["level"],
        "residual_sd": contrast["residual_sd"],
        "generations": contrast["generations"],
        "looks": [
            {
                "generations": look["generations"],
                "at_s": times[look["generations"] - 1] if look["generations"] <= len(times) else None,
                "low": look["effect"]["low"],
                "high": look["effect"]["high"],
            }
            for look in contrast["looks"]
        ],
    }


def _generation_times(ran: Ran) -> list[float]:
    """Return when the data of 1, 2, … generations were there, in seconds since the run began.

    A chunk is never touched again once it is sealed, nor the journal once the run
    has ended, so that the files' times tell. Empty where there are none.
    """
    if ran.run is None or ran.result is None:
        return []
    journal = ran.run / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    begin = journal.stat().st_mtime - ran.result["run"]["duration_s"]
    chunks = [ran.run / "chunks" / f"{line['chunk']}.rows" for line in lines if line["kind"] == "generation"]
    times, latest = [], 0.0
    for chunk in chunks:
        latest = max(latest, chunk.stat().st_mtime - begin)
        times.append(round(latest, 2))
    return times


def _effects(result: dict[str, Any]) -> dict[str, list[float | None]]:
    """Return d_g of every gating metric, generation by generation."""
    names = sorted({name for one in result["generations"] for name in one["effects"]})
    return {
        name: [
            None if one["effects"].get(name) is None else round(one["effects"][name], 6)
            for one in result["generations"]
        ]
        for name in names
    }


def _code_version() -> str:
    """Return the commit that ran, with a mark where files were changed since; empty without git."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return told.stdout.strip()
