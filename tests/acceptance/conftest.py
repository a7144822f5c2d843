"""Every acceptance test gets a project of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_pages import watch
from projects import Project, make_project

from loadstone.target.clean import clean_state


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A run that was killed leaves an empty state folder, which `clean` removes."""
    yield make_project(tmp_path)
    clean_state(tmp_path / ".loadstone")


@pytest.fixture(scope="session")
def _improved(tmp_path_factory):
    project = make_project(tmp_path_factory.mktemp("project"))
    words = ("speed=slow", "speed=fast", "--budget", "25s", "--json", "out.json", "--fail-on", "detected")
    return project, *watch(project, "compare", *words, "--live")


@pytest.fixture(scope="session")
def improved(_improved):
    """One real comparison, looked at by several tests; they change nothing of it."""
    return _improved[:2]


@pytest.fixture(scope="session")
def live(_improved):
    """What a browser saw of that comparison while it went on."""
    return _improved[2]
