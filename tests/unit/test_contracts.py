"""Rooms that live outside the package keep their contracts too."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_there_is_something_to_check():
    assert files("target_app")
    assert files("scenarios")


@pytest.mark.parametrize("path", files("target_app"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_reference_app_imports_nothing_of_the_harness(path):
    assert "loadstone" not in imported(path)


@pytest.mark.parametrize("path", files("scenarios"), ids=lambda path: path.name)
def test_scenarios_import_only_locust_and_the_standard_library(path):
    brought = {"websocket"}  # Locust's own dependency: stock `locust -f` has it
    assert imported(path) <= {"locust"} | brought | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", files("loadstone"), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_renderers_and_the_command_line_print(path):
    prints = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not prints
