"""Workflows take no action that can change under them, hold no right to write, and run what a user would."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_rights_are_to_read(path):
    text = path.read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", one) for one in used)
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE)
    assert "write" not in re.sub(r"#.*", "", text)
    assert text.count("actions/checkout") == text.count("persist-credentials: false")


def test_every_loadstone_command_of_the_gate_is_one_that_this_version_has():
    from click.testing import CliRunner

    from loadstone.cli.main import cli

    text = (ROOT / ".github" / "workflows" / "gate.yml").read_text()
    lines = re.findall(r"\.venv/bin/loadstone (.+)", text)
    assert len(lines) >= 4
    for line in lines:
        words = [word.strip('"') for word in line.split()]
        names = words[:2] if words[0] == "report" else words[:1]
        told = CliRunner().invoke(cli, [*names, "--help"])
        assert told.exit_code == 0
        for option in (word for word in words if word.startswith("--")):
            assert option in told.output
