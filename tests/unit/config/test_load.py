"""Every mistake in loadstone.toml gives one error with file, line and remedy."""

from pathlib import Path

import pytest

from loadstone.config.load import find_config, load_project, suggest
from loadstone.errors import ConfigurationError, ExitCode

GOOD = """\
[target]
command = ["{python}", "server.py", "{port}"]

[data]
sizes = ["small", "large"]

[toggles.orm]
choices = ["naive", "prefetch"]
default = "naive"
env = "APP_ORM"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "loadstone.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_read(tmp_path):
    project = load_project(write(tmp_path, GOOD))
    assert project.toggles["orm"].choices == ("naive", "prefetch")
    assert project.root == tmp_path


@pytest.mark.parametrize(
    ("find", "replace", "line", "says"),
    [
        ('default = "naive"', 'default = "nave"', 9, "did you mean 'naive'?"),
        ('env = "APP_ORM"', "env = 3", 10, "expected `str`"),
        ('env = "APP_ORM"', 'enw = "APP_ORM"', 10, "did you mean 'env'?"),
        ('choices = ["naive", "prefetch"]', 'choices = ["naive", "naive"]', 8, "several different"),
        ('"{port}"', '"8000"', 2, "{port}"),
        (
            'sizes = ["small", "large"]',
            'sizes = ["small", "large"]\nsize = "smal"',
            6,
            "did you mean 'small'?",
        ),
        ("[data]", "[compare]\nbudget = '3 fortnights'\n[data]", 5, "no duration"),
        ("[data]", "[compare]\nmargin = '200%'\n[data]", 5, "no share"),
        ('command = ["{python}"', 'command = ["{python}', 2, "not valid TOML"),
        ("[target]", '[target]\ndirectory = "nowhere"', 2, "does not exist"),
        ("[toggles.orm]", "[toggles.orm]\nscope = 'proces'", 8, "did you mean 'process'?"),
        ("[toggles.orm]", "[toggles.orm]\nddl = {nav = []}", 8, "did you mean 'naive'?"),
        ("[toggles.orm]", "[toggles.orm]\nnormalise = ['envelope']", None, "is not declared"),
    ],
)
def test_a_mistake_names_its_line_and_a_remedy(tmp_path, find, replace, line, says):
    assert find in GOOD
    with pytest.raises(ConfigurationError) as caught:
        load_project(write(tmp_path, GOOD.replace(find, replace)))
    text = str(caught.value)
    assert says in text
    if line is not None:
        assert f"loadstone.toml:{line}" in caught.value.cause
    assert caught.value.exit_code is ExitCode.USAGE


def test_an_unreadable_file_is_one_error(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_project(tmp_path / "loadstone.toml")


def test_a_toggles_file_is_merged(tmp_path):
    (tmp_path / "toggles.toml").write_text(
        '[cache]\nchoices=["off","on"]\ndefault="off"\nenv="C"\nnormalise=["env"]\n[rules.env]\nunwrap="results"\n'
    )
    text = GOOD.replace("[data]", 'toggles = "toggles.toml"\n[data]')
    project = load_project(write(tmp_path, text))
    assert set(project.toggles) == {"orm", "cache"}
    assert project.rules["env"].unwrap == "results"


def test_a_mistake_in_a_toggles_file_names_that_file(tmp_path):
    (tmp_path / "toggles.toml").write_text('[cache]\nchoices=["off"]\ndefault="of"\nenv="C"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_project(write(tmp_path, GOOD.replace("[data]", 'toggles = "toggles.toml"\n[data]')))
    assert "toggles.toml:3" in caught.value.cause


def test_the_nearest_file_above_is_found(tmp_path):
    path = write(tmp_path, GOOD)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_config(deep) == path


def test_no_file_is_an_error_with_a_remedy(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        find_config(tmp_path)
    assert "--config" in caught.value.remedy


def test_suggestions_list_all_where_nothing_is_close():
    assert suggest("zzz", ["naive", "prefetch"]) == "known: naive, prefetch"
