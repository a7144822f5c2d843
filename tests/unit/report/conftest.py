"""Results of every verdict, for the renderers."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

_MAKER = Path(__file__).parents[2] / "fixtures" / "results.py"


def _load() -> ModuleType:
    name = "loadstone_fixture_results"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _MAKER)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def results() -> ModuleType:
    """The maker of results: `results.improved()` and its siblings."""
    return _load()


@cache
def _made(name: str):
    return _load().ALL[name]()


@pytest.fixture(params=sorted(_load().ALL))
def any_result(request):
    """Every kind of result in turn."""
    return _made(request.param)
