"""A pytest plugin that counts instructions in place of pytest-benchmark's clock, under valgrind's callgrind.

It runs in the Python of whatever is compared, as a copy of this file alone, and so imports
nothing of Loadstone. Its `benchmark` fixture takes the calls of pytest-benchmark's: warms each
benchmark up, then has callgrind collect a few calls, without garbage collection, and writes its
counts out under a number. Which number stands for which benchmark is written to the
file that LOADSTONE_COUNTS names.

Callgrind is spoken to by its client requests (valgrind.h and callgrind.h, x86-64): a magic
sequence of rotations that do nothing elsewhere, here as a few bytes of machine code.
"""

from __future__ import annotations

import ctypes
import gc
import json
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WARM, COUNTED = 20, 5
"""Calls: the interpreter specialises what has run some eight times."""
_RUNNING_ON_VALGRIND = 0x1001
_CALLGRIND = ord("C") << 24 | ord("T") << 16
_TOGGLE, _DUMP_AT, _START, _STOP = (_CALLGRIND + number for number in (2, 3, 4, 5))
_CODE = bytes.fromhex(
    "4889f8"  # mov rax, rdi: the request's words
    "31d2"  # xor edx, edx: the answer where nobody listens
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi by 3, 13, 61, 51: the preamble
    "4887db"  # xchg rbx, rbx: the request itself
    "4889d0 c3"  # mov rax, rdx; ret
)
told: list[dict[str, Any]] = []
"""What was counted so far."""


class Valgrind:
    """Client requests."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._page.write(_CODE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        self._call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(address)

    def ask(self, request: int, word: int = 0) -> int:
        """Send one request and return its answer; 0 where no valgrind listens."""
        words = (ctypes.c_uint64 * 6)(request, word, 0, 0, 0, 0)
        return int(self._call(ctypes.addressof(words)))

    def dump(self, name: str) -> None:
        """Have what was collected written out under a name, and begin anew."""
        text = ctypes.create_string_buffer(name.encode())
        self.ask(_DUMP_AT, ctypes.addressof(text))


class Benchmark:
    """What stands in for pytest-benchmark's fixture."""

    def __init__(self, name: str, group: str, valgrind: Valgrind) -> None:
        self.name = self.fullname = name
        self.group = group
        self.extra_info: dict[str, Any] = {}
        self.stats = None
        self.disabled = self.enabled = False
        self._valgrind = valgrind

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any
        """Count a function's calls and return what it returns."""
        return self.pedantic(function, args, kwargs)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Any = (),  # noqa: ANN401 - as pytest-benchmark has it
        kwargs: dict[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        **rounds: Any,  # noqa: ANN401 - and the like
    ) -> Any:  # noqa: ANN401 - what the target returns
        """Count the target alone, each call on what `setup` returns; a count needs no rounds."""
        del rounds

        def prepared() -> tuple[Any, dict[str, Any]]:
            made = setup() if setup is not None else None
            return made if made is not None else (args, kwargs or {})

        for _ in range(WARM):
            given, named = prepared()
            result = target(*given, **named)
        gc.collect()
        gc.disable()
        try:
            self._valgrind.ask(_START)
            for _ in range(COUNTED):
                given, named = prepared()
                self._valgrind.ask(_TOGGLE)
                target(*given, **named)
                self._valgrind.ask(_TOGGLE)
            self._valgrind.ask(_STOP)
        finally:
            gc.enable()
        self._valgrind.dump(f"loadstone {len(told)}")
        told.append({"name": self.name, "group": self.group, "calls": COUNTED})
        return result


@pytest.fixture(scope="session")
def _valgrind() -> Valgrind:
    valgrind = Valgrind()
    if not valgrind.ask(_RUNNING_ON_VALGRIND):
        pytest.exit("instructions are counted under valgrind alone", returncode=3)
    return valgrind


@pytest.fixture
def benchmark(request: pytest.FixtureRequest, _valgrind: Valgrind) -> Benchmark:
    """Stand in for pytest-benchmark's fixture."""
    mark = request.node.get_closest_marker("benchmark")
    group = str(mark.kwargs.get("group") or "") if mark else ""
    return Benchmark(request.node.nodeid, group, _valgrind)


def pytest_configure(config: pytest.Config) -> None:
    """Know pytest-benchmark's mark."""
    config.addinivalue_line("markers", "benchmark: pytest-benchmark's")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is no benchmark."""
    items[:] = [item for item in items if "benchmark" in getattr(item, "fixturenames", ())]


def pytest_sessionfinish() -> None:
    """Write down which number stands for which benchmark."""
    path = os.environ.get("LOADSTONE_COUNTS")
    if path:
        Path(path).write_text(json.dumps(told))
