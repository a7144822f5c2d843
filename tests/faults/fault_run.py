"""One cell: run it, break it, and say what was seen."""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fault_arena import LANE_WORDS, Arena, arena
from fault_cells import Cell, Row
from fault_injections import Damage, damage_of
from fault_leftovers import Traces

LONGEST_S = 180.0
RESULTS = ("result.json", "load.json", "capacity.json")
POLL_S = 0.01
ENOUGH = ("--budget", "90s")
"""Slow requests leave no time for more than the first look, which a generation before the fault spoils."""
MORE_WORDS = {
    ("postgres-full", "load"): ("--for", "12s"),  # a hundred connections take their time
    ("postgres-full", "load-compare"): ("--budget", "2m"),  # the first generation may be over before
    ("server-hangs", "pair"): ENOUGH,
    ("server-slow", "pair"): ENOUGH,
}
"""Of some cells, by fault and lane."""


@dataclass
class _Seen:
    outcome: str
    said: str


def run_cell(cell: Cell, version: str, outputs: Path | None = None) -> Row:
    """Run one cell and return what was seen of it; what it said is kept in the folder `outputs`."""
    begun = time.monotonic()
    disk = {"disk-full": "rw", "reports-readonly": "ro"}.get(cell.fault, "")
    with arena(cell.fault, disk=disk) as it:
        words = LANE_WORDS[cell.lane] + MORE_WORDS.get((cell.fault, cell.lane), ())
        if cell.fault.startswith("generator") and cell.lane in {"load", "capacity", "load-compare"}:
            words += ("--workers", "2")
        if cell.fault == "master-kill":
            words += ("--web", "--web-port", "0") if cell.lane != "capacity" else it.expect_a_worker()
        traces = Traces(it)
        with damage_of(it, cell.lane) as tend:
            seen, damage = _watch(it, cell, words, traces, tend)
            if not damage.done and cell.fault != "reports-readonly":
                seen = _Seen("not injected", seen.said)
        left = traces.left()
        if "Traceback" in it.said():
            seen = _Seen("traceback", it.said().rpartition("Traceback")[2][-300:])
        if outputs is not None:
            outputs.mkdir(exist_ok=True, parents=True)
            (outputs / f"{cell.fault}-{cell.lane}.txt").write_text(it.said())
        agrees = seen.outcome == cell.outcome and not left
        agrees &= not cell.says or re.search(cell.says, it.said()) is not None
    return Row(
        fault=cell.fault,
        lane=cell.lane,
        expected=cell.expected,
        seen=f"{seen.outcome}: {seen.said}" if seen.said else seen.outcome,
        agrees=agrees,
        left=left,
        seconds=round(time.monotonic() - begun, 1),
        version=version,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _watch(it: Arena, cell: Cell, words: tuple[str, ...], traces: Traces, tend) -> tuple[_Seen, Damage]:
    """Run to the end, and resume what was cut short."""
    it.start(*words)
    damage, code = tend(), _follow(it, traces, tend)
    damage = tend()
    seen = _judge(it, cell.lane, code)
    if damage.filler is not None:
        damage.filler.unlink()
    cut = code in {-9, -15, 130} or (cell.fault == "disk-full" and cell.lane == "pair")
    run = it.run_folder()
    if not cut or run is None:
        return seen, damage
    sealed = _sealed(it)
    it.start("resume", run.name)
    code = _follow(it, traces, tend)
    return _judge_resumed(it, cell.lane, seen, code, sealed), damage


def _follow(it: Arena, traces: Traces, tend) -> int | None:
    """Tend the fault until the run ends; return its exit code, None where it hung."""
    deadline, looked = time.monotonic() + LONGEST_S, 0.0
    while it.process is not None and it.process.poll() is None and time.monotonic() < deadline:
        if time.monotonic() - looked > 0.2:
            looked = time.monotonic()
            traces.look()
        tend()
        time.sleep(POLL_S)
    return it.finish(0.0 if time.monotonic() >= deadline else 5.0)


def _judge(it: Arena, lane: str, code: int | None) -> _Seen:
    """Name what came of a run by its exit code and its result."""
    said = _last_words(it)
    if code is None:
        return _Seen("hung", said)
    told = _result(it)
    if code == 0:
        return _Seen(_truth(lane, told), said)
    if code == 3 and _claims(told):
        return _Seen("verdict from bad data", said)
    names = {1: "worse", 2: "refused", 3: "invalid", 130: "partial" if told else "interrupted"}
    return _Seen(names.get(code, f"ended by {code}"), said)


def _truth(lane: str, told: dict) -> str:
    """Say whether a run that ended with 0 says what is true of the target as it is when nothing breaks it."""
    if lane == "pair":
        verdict = told["verdict"]["verdict"]
        return "correct" if verdict == "improved" else f"said {verdict}"
    if lane == "load-compare":  # the least budget may not suffice for each of its metrics
        verdict = told["verdict"]["verdict"]
        return "correct" if verdict in {"improved", "inconclusive"} else f"said {verdict}"
    if lane == "capacity":
        bound = told["estimates"][0]["bound"]
        return "correct" if bound == "at_least" else "worse"
    return "correct"


def _claims(told: dict) -> bool:
    verdict = told.get("verdict")
    return isinstance(verdict, dict) and verdict.get("verdict") in {"improved", "regressed", "equivalent"}


def _judge_resumed(it: Arena, lane: str, seen: _Seen, code: int | None, sealed: list[str]) -> _Seen:
    said = _last_words(it)
    if code == 2:  # it cannot go on, and says why
        return seen if seen.outcome == "partial" else _Seen("lost", said)
    if code not in {0, 1}:
        return _Seen(f"resumed, and then ended by {code}", said)
    if _sealed(it)[: len(sealed)] != sealed:
        return _Seen("lost a sealed block", said)
    run = it.run_folder()
    it.start("verify", run.name if run else "")
    if it.finish(30.0) != 0:
        return _Seen("resumed, and not verified", _last_words(it))
    return _Seen("resumed" if _truth(lane, _result(it)) == "correct" else "resumed to another verdict", said)


def _sealed(it: Arena) -> list[str]:
    run = it.run_folder()
    path = run / "journal.jsonl" if run else it.folder / "none"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [line for line in lines if line.startswith('{"kind":"generation"')]


def _result(it: Arena) -> dict:
    run = it.run_folder()
    found = [run / name for name in RESULTS if (run / name).exists()] if run else []
    return json.loads(found[0].read_text()) if found else {}


def _last_words(it: Arena) -> str:
    """Return the last error with its cause, or the headline."""
    lines = it.err.read_text(errors="replace").splitlines() if it.err.exists() else []
    errors = [place for place, line in enumerate(lines) if line.startswith("error: ")]
    if errors:
        told = lines[errors[-1] : errors[-1] + 2]
        return "; ".join(line for line in told if line.startswith(("error: ", "cause: ")))[:300]
    out = [line.strip() for line in it.out.read_text(errors="replace").splitlines() if line.strip()]
    return out[0][:300] if out else ""
