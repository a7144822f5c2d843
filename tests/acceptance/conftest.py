"""Every acceptance test gets a project of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project, make_project

from loadstone.target.clean import clean_state


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A run that was killed leaves an empty state folder, which `clean` removes."""
    yield make_project(tmp_path)
    clean_state(tmp_path / ".loadstone")


@pytest.fixture(scope="session")
def improved(tmp_path_factory):
    """One real comparison, looked at by several tests; they change nothing of it."""
    project = make_project(tmp_path_factory.mktemp("project"))
    words = ("speed=slow", "speed=fast", "--budget", "25s", "--json", "out.json", "--fail-on", "detected")
    return project, project.run("compare", *words)
