"""Base and head: which commits they are by default, and which lines head changed."""

import subprocess

import pytest

from loadstone.errors import ConfigurationError
from loadstone.gate.sides import changed_lines, commits_between, find_sides, in_repository


class Repository:
    """A scratch repository."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        """Return what git says."""
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(self.folder), *settings, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, subject, **files):
        """Commit files, `__` for a slash, and return the commit."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_a_merge_commit_is_compared_with_its_first_parent(repository):
    repository.commit("one")
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit("topic")
    repository.git("checkout", "-q", "main")
    main = repository.commit("two")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    sides = find_sides(repository.folder, None, "HEAD")
    assert (sides.base.commit, sides.base.ref, sides.head.subject) == (main, "HEAD^1", "merge")


def test_a_branch_is_compared_with_where_it_left_the_trunk(repository):
    left = repository.commit("one")
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit("first")
    repository.commit("second")
    assert find_sides(repository.folder, None, "HEAD").base.commit == left


def test_a_commit_of_the_trunk_is_compared_with_its_parent(repository):
    parent = repository.commit("one")
    repository.commit("two")
    assert find_sides(repository.folder, None, "HEAD").base.commit == parent
    assert find_sides(repository.folder, None, ".").base.subject == "two"


@pytest.mark.parametrize(("base", "head"), [("nope", "HEAD"), (None, "nope"), ("--all", "HEAD")])
def test_a_commit_that_is_not_there_is_wrong_use(repository, base, head):
    repository.commit("one")
    repository.commit("two")
    with pytest.raises(ConfigurationError, match=r"finds no commit|nothing to compare"):
        find_sides(repository.folder, base, head)


def test_a_first_commit_has_nothing_to_compare_with(repository):
    repository.commit("one")
    with pytest.raises(ConfigurationError, match="there is nothing to compare HEAD with"):
        find_sides(repository.folder, None, "HEAD")


def test_changed_lines_are_those_of_head_and_files_are_found_from_where_the_app_runs(repository):
    repository.commit("one", app__shop_py="a\nb\nc\n")
    repository.commit("two", app__shop_py="a\nB\nc\nd\n")
    sides = find_sides(repository.folder, None, "HEAD")
    assert changed_lines(sides) == {"app/shop.py": {2, 4}}
    root = repository.folder
    assert in_repository(sides, "app", root, "shop.py") == "app/shop.py"
    assert in_repository(sides, "app", root, f"{root}/.loadstone/checkouts/abc/app/shop.py") == "app/shop.py"
    for other in ("nowhere.py", "../../etc/passwd", "/etc/passwd", ""):
        assert in_repository(sides, "app", root, other) == ""


def test_a_folder_without_a_repository_is_wrong_use(tmp_path):
    with pytest.raises(ConfigurationError, match="this is no git repository"):
        find_sides(tmp_path, None, "HEAD")


def test_commits_between_follow_first_parents_from_the_oldest(repository):
    good = repository.commit("good")
    first = repository.commit("first")
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit("of the topic")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    merge = repository.git("rev-parse", "HEAD")
    assert commits_between(repository.folder, good, "main") == [first, merge]
    for one, other in (("main", good), ("main", "main")):
        with pytest.raises(ConfigurationError, match="does not follow"):
            commits_between(repository.folder, one, other)
