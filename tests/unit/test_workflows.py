"""Workflows take no action that can change under them, hold few rights, and run what a user would."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from loadstone import __version__

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}|\./\.github/actions/\w+")
WRITES = {
    "comment.yml": {"comment": {"pull-requests"}},
    "release.yml": {"packages": {"id-token"}, "image": {"packages"}, "release": {"contents"}},
}
"""Rights to write, by workflow and job; no other has any."""


def name_of(path):
    return path.parent.name if path.name == "action.yml" else path.name


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=name_of)
def test_actions_are_pinned_and_no_expression_reaches_a_script(path):
    """What a pull request names (its branch, its title) must not become code."""
    text = path.read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert all(PINNED.fullmatch(one) for one in used)
    assert text.count("actions/checkout") == text.count("persist-credentials: false")
    read = yaml.safe_load(text)
    jobs = read["jobs"].values() if "jobs" in read else [read["runs"]]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_rights_are_to_read_and_a_job_says_what_it_may_write(path):
    read = yaml.safe_load(path.read_text())
    assert read["permissions"] == {"contents": "read"}
    granted = {
        name: {right for right, kind in job["permissions"].items() if kind == "write"}
        for name, job in read["jobs"].items()
        if "permissions" in job
    }
    assert granted == WRITES.get(path.name, {})


def test_a_release_comes_of_a_tag_alone_and_of_what_was_tried():
    read = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    assert read[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true
    assert all("build" in job["needs"] for name, job in read["jobs"].items() if name != "build")


@pytest.mark.parametrize(
    ("tag", "problem"),
    [("v9.9.9", "pyproject.toml says"), (f"v{__version__}", f"no section [{__version__}]")],
)
def test_a_tag_that_is_not_the_version_or_not_told_about_is_refused(tag, problem):
    if f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text() and "section" in problem:
        pytest.skip("this version is told about")
    ran = subprocess.run(["tools/build_release", tag], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert problem in ran.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing_wrong():
    ran = subprocess.run(["actionlint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_workflow_that_may_write_runs_only_code_of_the_default_branch():
    text = (ROOT / ".github" / "workflows" / "comment.yml").read_text()
    read = yaml.safe_load(text)
    assert list(read[True]) == ["workflow_run"]  # YAML 1.1 reads `on` as true
    assert "ref:" not in text
    assert "download-artifact" not in text
    gate = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text())
    assert read[True]["workflow_run"]["workflows"] == [gate["name"]]


def test_every_option_of_the_gate_action_is_one_that_this_version_has():
    from click.testing import CliRunner

    from loadstone.cli.main import cli

    text = (ROOT / ".github" / "actions" / "gate" / "action.yml").read_text()
    told = CliRunner().invoke(cli, ["gate", "--help"]).output
    options = re.findall(r"--[a-z]+", re.search(r"words=\((.*)\)", text)[1])
    assert len(options) >= 6
    assert all(option in told for option in [*options, "--base"])


def test_the_steps_of_the_gate_can_be_run_here_in_their_order():
    told = subprocess.run(
        [sys.executable, "tools/run_workflow", ".github/workflows/gate.yml", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    steps = [line.split(":")[0].removeprefix("- ") for line in told.splitlines() if line.startswith("- ")]
    assert [step for step in steps if not step.startswith("actions/")] == [
        "make env",
        "./.github/actions/gate",
        "Gate",
        "Tell",
    ]
