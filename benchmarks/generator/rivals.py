"""Load generators to compare with, started for a saturated closed loop on kept connections and one core."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from servers import GENERATOR_CORE, pin

CONNECTIONS = 16
DRIVE = Path(__file__).with_name("drive.py")


@dataclass(frozen=True)
class Cost:
    """What a run of one tool cost."""

    requests: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_us(self) -> float:
        """CPU time a request, user and system."""
        return self.cpu_s / self.requests * 1e6

    @property
    def rps(self) -> float:
        """Requests a second that were reached."""
        return self.requests / self.wall_s


@dataclass(frozen=True)
class Rival:
    """A tool: how to call it, and how to read its count of good answers."""

    name: str
    """Also the program that must be installed."""
    arguments: Callable[[str, int], list[str]]
    count: Callable[[str], int]

    def available(self) -> bool:
        """Tell whether it is installed."""
        return shutil.which(self.name) is not None

    def run(self, url: str, seconds: int) -> Cost:
        """Run it; the CPU time is the whole process's, start-up included, which is milliseconds."""
        argv = self.arguments(url, seconds)
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(  # its times are wanted, which only wait4 tells
                argv,
                stdout=out,
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: pin(GENERATOR_CORE),  # noqa: PLW1509 - no threads
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            text = out.read()
        if process.returncode:
            raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}: {text[-500:]}")
        return Cost(self.count(text), usage.ru_utime + usage.ru_stime, seconds)


def drive(kind: str, work: str, url: str, seconds: float) -> Cost:
    """Run users of Locust in a process of their own; start-up is not counted."""
    argv = [sys.executable, str(DRIVE), kind, work, url, str(CONNECTIONS), str(seconds)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    if told["good"] != told["requests"]:
        raise SystemExit(
            f"{kind}: {told['requests'] - told['good']} of {told['requests']} answers were wrong"
        )
    return Cost(told["requests"], told["cpu_s"], told["wall_s"])


def _number(pattern: str) -> Callable[[str], int]:
    def count(text: str) -> int:
        found = re.search(pattern, text)
        if found is None:
            raise SystemExit(f"no count in: {text[-500:]}")
        return int(found[1])

    return count


def _vegeta(url: str, seconds: int) -> list[str]:
    command = (
        f"echo 'GET {url}' | vegeta attack -rate 0 -workers {CONNECTIONS} -max-workers {CONNECTIONS} "
        f"-connections {CONNECTIONS} -duration {seconds}s | vegeta report -type json"
    )
    return ["sh", "-c", command]


def _k6(url: str, seconds: int) -> list[str]:
    script = Path(tempfile.gettempdir()) / "loadstone-bench-k6.js"
    atexit.register(script.unlink, missing_ok=True)
    script.write_text(
        "import http from 'k6/http';\n"
        "export const options = { discardResponseBodies: true };\n"
        f"export default function () {{ http.get('{url}'); }}\n"
    )
    return [
        "k6",
        "run",
        "--vus",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--no-usage-report",
        "--quiet",
        str(script),
    ]


def _oha(url: str, seconds: int) -> list[str]:
    return ["oha", "-c", str(CONNECTIONS), "-z", f"{seconds}s", "--no-tui", "--output-format", "json", url]


def _ab(url: str, seconds: int) -> list[str]:
    return ["ab", "-k", "-q", "-c", str(CONNECTIONS), "-t", str(seconds), "-n", "100000000", url]


RIVALS = [
    Rival(
        "wrk",
        lambda url, seconds: ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url],
        _number(r"(\d+) requests in"),
    ),
    Rival(
        "hey",
        lambda url, seconds: ["hey", "-c", str(CONNECTIONS), "-z", f"{seconds}s", url],
        _number(r"\[200\]\s+(\d+) responses"),
    ),
    Rival("ab", _ab, _number(r"Complete requests:\s+(\d+)")),
    Rival("oha", _oha, lambda text: int(json.loads(text)["statusCodeDistribution"]["200"])),
    Rival("vegeta", _vegeta, lambda text: int(json.loads(text)["status_codes"]["200"])),
    Rival("k6", _k6, _number(r"http_reqs\.*:\s+(\d+)")),
]
