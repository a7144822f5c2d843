"""A tiny project to run: a standard-library server, a seeding script, and variants of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadstone.config.model import Recipe, Variant
from loadstone.target.processes import find_processes
from loadstone.target.stage import Stage

HERE = Path(__file__).parent
MakeVariant = Callable[..., Variant]
OpenStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def project(open_folder: Path) -> Path:
    """Give the folder of the project, with templates shared by all tests."""
    folder = open_folder / "project"
    folder.mkdir()
    folder.chmod(0o755)
    for name in ("server.py", "seed.py", "companion.py"):
        shutil.copy(HERE / name, folder)
    return folder


@pytest.fixture(scope="session")
def make_variant(project: Path) -> MakeVariant:
    """Give a maker of variants: `make_variant("after", ddl=(…), argv=(…))`."""

    def make(name: str = "before", **changes: object) -> Variant:
        recipe = {"prepare": (("{python}", "seed.py", "{size}", "{seed}"),), "size": "20000", "seed": 7}
        recipe |= {key: changes.pop(key) for key in ("prepare", "size", "seed", "ddl") if key in changes}
        fields = {
            "name": name,
            "label": name,
            "argv": ("{python}", "server.py", "{port}"),
            "directory": project,
            "env": {"DATABASE_URL": "{database_url}", "REDIS_URL": "{redis_url}", "SCRATCH": "{folder}"},
            "recipe": Recipe(**recipe),
            "health_path": "/health",
            "python": Path(sys.executable),
            "start_timeout_s": 10.0,
        }
        return Variant(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def stage(project: Path) -> Iterator[Stage]:
    """Give a stage that tests share; those that write start from `refill=True`."""
    with Stage(project / ".loadstone") as shared:
        yield shared
    assert find_processes(shared.token) == []


@pytest.fixture
def open_stage(project: Path) -> Iterator[OpenStage]:
    """Give an opener of stages; each is closed after the test and must leave nothing."""
    opened: list[Stage] = []

    def open_one(state: Path | None = None, **options: object) -> Stage:
        opened.append(Stage(state or project / ".loadstone", **options))
        return opened[-1]

    yield open_one
    for stage in opened:
        stage.close()
        assert find_processes(stage.token) == []
        assert not stage.home.exists()
