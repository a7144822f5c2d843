"""The smaller commands."""

import json

import pytest


def test_toggles_are_listed(project):
    ran = project.run("toggles")
    assert ran.returncode == 0
    assert "(slow), fast, deferred" in ran.stdout


def test_toggles_as_json(project):
    ran = project.run("toggles", "--json")
    assert [toggle["name"] for toggle in json.loads(ran.stdout)] == ["speed", "answer", "life"]


def test_one_toggle_is_explained_and_an_unknown_one_suggested(project):
    assert "SPEED" in project.run("toggles", "speed").stdout
    ran = project.run("toggles", "sped")
    assert ran.returncode == 2
    assert "did you mean 'speed'?" in ran.stderr


def test_doctor_checks_the_machine(project):
    ran = project.run("doctor", "--json")
    names = [check["name"] for check in json.loads(ran.stdout)]
    assert {"Python", "cores", "memory", "clock", "noise floor", "ports"} <= set(names)


def test_clean_says_what_it_does(project):
    ran = project.run("clean")
    assert ran.returncode == 0
    assert ran.stdout.strip()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("compare",),
        ("prove",),
        ("load",),
        ("capacity",),
        ("up",),
        ("toggles",),
        ("doctor",),
        ("report",),
        ("verify",),
        ("clean",),
    ],
)
def test_help_has_examples(project, words):
    ran = project.run(*words, "--help")
    assert ran.returncode == 0
    assert "Examples:" in ran.stdout


def test_no_project_is_one_clear_error(tmp_path, project):
    empty = tmp_path / "empty"
    empty.mkdir()
    (project.folder / "loadstone.toml").unlink()
    project.folder = empty
    ran = project.run("toggles")
    assert ran.returncode == 2
    assert "remedy:" in ran.stderr


def test_the_version_is_told(project):
    assert project.run("--version").stdout.startswith("loadstone, version ")
