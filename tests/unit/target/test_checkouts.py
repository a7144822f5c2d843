"""Commits as sources: their files, and nothing of the user's repository touched."""

import subprocess
import sys

import pytest

from loadstone.errors import ConfigurationError, TargetError
from loadstone.target import checkouts
from loadstone.target.checkouts import forget_all, interpreter_for, pinned, source_of


def git(folder, *words):
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *settings, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Two commits of app/code.txt, and a change that is not committed."""
    top = tmp_path / "repository"
    (top / "app").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(top))
    for number in (1, 2):
        (top / "app" / "code.txt").write_text(f"code {number}")
        git(top, "add", "-A")
        git(top, "commit", "-q", "-m", f"change {number}")
    (top / "app" / "code.txt").write_text("not committed")
    return top


def source(repository, ref, state=None):
    return source_of(repository / "app", ref, state or repository.parent / "state")


def test_a_commit_has_its_own_files_and_says_what_it_is(repository):
    before, after = source(repository, "HEAD~1"), source(repository, "main")
    assert [(one.root / "code.txt").read_text() for one in (before, after)] == ["code 1", "code 2"]
    assert before.provenance == {"ref": "HEAD~1", "commit": before.commit, "subject": "change 1"}
    assert after.commit == git(repository, "rev-parse", "main")
    assert len(str(before.root)) == len(str(after.root)), "paths of equal length"


def test_the_repository_stays_as_it_is(repository):
    before = git(repository, "status", "--porcelain"), git(repository, "worktree", "list")
    source(repository, "HEAD~1")
    assert (git(repository, "status", "--porcelain"), git(repository, "worktree", "list")) == before
    assert (repository / "app" / "code.txt").read_text() == "not committed"


def test_files_are_written_once(repository):
    written = source(repository, "main").root / "code.txt"
    written.write_text("kept")
    assert (source(repository, "main").root / "code.txt").read_text() == "kept"


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", "HEAD~9"])
def test_what_is_no_commit_is_one_error_with_a_remedy(repository, ref):
    with pytest.raises(ConfigurationError, match="no choice of a toggle, and no commit") as caught:
        source(repository, ref)
    assert "TOGGLE=CHOICE" in caught.value.remedy


def test_outside_of_a_repository_it_says_so(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        source_of(tmp_path, "main", tmp_path / "state")
    assert "no git repository" in caught.value.cause


def test_a_commit_before_the_project_existed_is_refused(repository):
    (repository / "later").mkdir()
    with pytest.raises(ConfigurationError, match="does not hold this project"):
        source_of(repository / "later", "main", repository.parent / "state")


def test_only_the_checkouts_used_last_are_kept(repository, monkeypatch):
    monkeypatch.setattr(checkouts, "KEPT", 1)
    old = source(repository, "HEAD~1")
    assert source(repository, "main").root.is_dir()
    assert not old.root.is_dir()


def test_everything_can_be_forgotten(repository):
    state = repository.parent / "state"
    root = source(repository, "main").root
    assert forget_all(state, dry_run=True) == [state / "checkouts"]
    assert root.is_dir()
    forget_all(state, dry_run=False)
    assert not root.exists()
    assert forget_all(state, dry_run=False) == []


def test_what_is_pinned_tells_environments_apart(repository):
    app = repository / "app"
    nothing = pinned(app, ["requirements*.txt"])
    (app / "requirements.txt").write_text("a==1")
    one = pinned(app, ["requirements*.txt"])
    assert one != nothing
    assert pinned(app, ["requirements*.txt"], [["{python}", "-m", "pip"]]) != one
    assert pinned(app, ["requirements*.txt"]) == one


def test_an_environment_is_made_once_by_the_commands_that_are_told(repository):
    said = []
    options = {
        "install": [["{python}", "-c", "import sys, pathlib; pathlib.Path(sys.prefix, 'made').touch()"]],
        "lock": ["code.txt"],
        "directory": ".",
        "state": repository.parent / "state",
        "say": said.append,
    }
    python = interpreter_for(source(repository, "main"), **options)
    assert (python.parent.parent / "made").is_file()
    assert interpreter_for(source(repository, "main"), **options) == python
    assert len(said) == 1
    other = interpreter_for(source(repository, "HEAD~1"), **options)
    assert other != python


def test_an_environment_that_cannot_be_made_shows_what_was_said(repository):
    with pytest.raises(TargetError, match="failed") as caught:
        interpreter_for(
            source(repository, "main"),
            install=[[sys.executable, "-c", "import sys; sys.exit('no such package')"]],
            lock=[],
            directory=".",
            state=repository.parent / "state",
            say=lambda _text: None,
        )
    assert "no such package" in caught.value.cause
