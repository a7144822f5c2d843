"""Results of accuracy benchmarks: JSON lines, appended, each with the machine it came from."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy

DATA = Path(__file__).parent / "data"


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's score interval for a proportion (Wilson 1927), 95% by default."""
    rate, share = successes / trials, z * z / trials
    centre = (rate + share / 2.0) / (1.0 + share)
    half = z * math.sqrt(rate * (1.0 - rate) / trials + share / (4.0 * trials)) / (1.0 + share)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def machine() -> dict[str, str | int]:
    """Return what tells this machine from another, and the versions that computed."""
    facts: dict[str, str | int] = {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return {"fingerprint": digest, **facts}


def append(name: str, rows: list[dict[str, Any]]) -> Path:
    """Append `rows` to `data/<name>.jsonl`, with time and machine, and return the path."""
    DATA.mkdir(exist_ok=True)
    path = DATA / f"{name}.jsonl"
    common = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({**common, **row}) + "\n" for row in rows)
    return path


def stored(name: str) -> list[dict[str, Any]]:
    """Return all rows of `data/<name>.jsonl`, oldest first; none where there is no such file."""
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
