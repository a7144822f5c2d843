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
