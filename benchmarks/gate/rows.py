"""What the gate said of each commit: JSON lines, appended, each with the machine it came from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "accuracy"))

from ledger import machine  # noqa: E402 - a neighbour
from tables import upper_bound  # noqa: E402

Row = dict[str, Any]
STORE = HERE / "data" / "gate.jsonl"


def append(path: Path, row: Row) -> None:
    """Append a row, with time, machine and the commit of Loadstone itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    common = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "code": _code()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**common, **row}) + "\n")


def stored(path: Path) -> list[Row]:
    """Return all rows, oldest first; none where there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def next_seed(rows: Iterable[Row], name: str) -> int:
    """Return a seed that no stored run of this commit had."""
    return max((row["seed"] for row in rows if row["commit"] == name), default=0) + 1


def summary(rows: list[Row]) -> Iterator[str]:
    """Tell of each commit how often the gate failed, machine by machine; bounds are one-sided, of 95%."""
    for print_of in dict.fromkeys(row["machine"]["fingerprint"] for row in rows):
        own = [row for row in rows if row["machine"]["fingerprint"] == print_of]
        facts = own[-1]["machine"]
        yield f"machine {print_of} ({facts['cpu']}, {facts['cores']} cores)"
        for name in dict.fromkeys(row["commit"] for row in own):
            yield from _of_commit(name, [row for row in own if row["commit"] == name])


def _of_commit(name: str, rows: list[Row]) -> Iterator[str]:
    failed = sum(row.get("outcome") == "failed" for row in rows)
    told = f"  {name}: failed {failed} of {len(rows)}"
    if name == "nothing":
        told += f", at most {upper_bound(failed, len(rows)):.1%} with 95% confidence"
    outcomes = Counter(str(row.get("outcome", "error")) for row in rows)
    took = median(row["took_s"] for row in rows)
    yield f"{told}; {', '.join(f'{word} {count}' for word, count in outcomes.items())}; median {took:.0f} s"
    for row in rows if name != "nothing" else [one for one in rows if one.get("outcome") != "passed"]:
        yield f"    seed {row['seed']}: {row.get('headline') or row.get('error', '')}{_truth(row)}"


def _truth(row: Row) -> str:
    """Say by how much a slowed view is slower in truth: what was added, of the base's own level."""
    base = [
        one["before"] for one in row.get("findings", ()) if one["subject"] == "latency_mean" and one["before"]
    ]
    if not (row.get("spun_s") and base):
        return ""
    return f"; in truth {row['spun_s'] * 1e6 / base[0]:.1%}"


def _code() -> str:
    words = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
