"""Commit against commit: each side runs the code of its own commit."""

import json
import subprocess

from projects import CONFIG, SERVER

FAST = 'import os\nos.environ["SPEED"] = "fast"\n'
RUN = f'import runpy, sys\nrunpy.run_path({str(SERVER)!r}, run_name="__main__")\n'


def git(folder, *words):
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True)


def commit(project, code, message):
    (project.folder / "server.py").write_text(code)
    git(project.folder, "add", "loadstone.toml", "browse.py", "server.py")
    git(project.folder, "commit", "-q", "-m", message)


def test_a_faster_commit_is_improved_and_says_which_commits_ran(project):
    (project.folder / "loadstone.toml").write_text(CONFIG.format(server="server.py"))
    git(project.folder, "init", "-q", "-b", "main")
    commit(project, RUN, "slow")
    commit(project, FAST + RUN, "answer faster")
    (project.folder / "server.py").write_text("raise SystemExit('the working tree must not run')")
    ran = project.run("compare", "HEAD~1", "main", "--budget", "25s", "--json", "-", "--quiet")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["verdict"]["verdict"] == "improved"
    assert [one["provenance"]["subject"] for one in result["variants"]] == ["slow", "answer faster"]
    assert {one["provenance"]["ref"] for one in result["variants"]} == {"HEAD~1", "main"}


def test_what_is_neither_choice_nor_commit_is_wrong_use(project):
    ran = project.run("compare", "speed", "speed=fast")
    assert ran.returncode == 2
    assert "'speed' is no choice of a toggle, and no commit either" in ran.stderr
    assert "remedy: write TOGGLE=CHOICE" in ran.stderr
