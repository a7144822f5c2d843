"""`loadstone prove` on a small target: what is declared is tried, told, kept, and not tried twice."""

import json
import shutil
import subprocess

import pytest

CLAIM = """
[toggles.speed.claims.fast]
before = "slow"
metric = "response_bytes"
direction = "lower"
at_least = "10%"
scenario = "browse.py"

[toggles.answer.claims.wrong]
before = "right"
metric = "response_bytes"
direction = "lower"
at_least = "10%"
scenario = "browse.py"
"""


@pytest.fixture
def claimed(project):
    path = project.folder / "loadstone.toml"
    path.write_text(path.read_text() + CLAIM)
    return project


def commit(project):
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    for words in (
        ["init", "-q"],
        ["add", "loadstone.toml", "browse.py"],
        [*identity, "commit", "-qm", "claims"],
    ):
        subprocess.run(["git", "-C", str(project.folder), *words], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="tells commits apart")
def test_what_does_not_hold_is_told_and_kept_and_gone_on_with(claimed):
    commit(claimed)
    ran = claimed.run("prove", "speed")
    assert ran.returncode == 1, ran.stderr
    assert "✗ not confirmed" in ran.stdout
    table = (claimed.folder / "reports" / "claims.md").read_text()
    assert "| `speed=fast` | slow | response lower by at least 10% (browse, default) |" in table
    kept = json.loads((claimed.folder / "reports" / "claims.json").read_text())["entries"]
    assert [(one["after"], one["finding"]["estimate"]) for one in kept] == [("speed=fast", 0.0)]

    ran = claimed.run("prove")  # the other one returns something else: no measurement
    assert ran.returncode == 1
    assert "known for this commit: not confirmed" in ran.stderr
    kept = json.loads((claimed.folder / "reports" / "claims.json").read_text())["entries"]
    assert [one["finding"]["proven"] for one in kept] == ["not confirmed", "invalid"]
    assert "payload" in kept[1]["finding"]["reason"]

    (claimed.folder / "browse.py").write_text((claimed.folder / "browse.py").read_text() + "\n")
    ran = claimed.run("prove", "speed", "--json")
    assert "known for this commit" not in ran.stderr
    assert "with changes" in json.loads(ran.stdout)["entries"][0]["commit"]


def test_the_comparisons_can_be_listed(claimed):
    ran = claimed.run("prove", "--list", "--budget", "30s")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0].startswith(
        "loadstone compare speed=slow speed=fast --scenario browse.py"
    )
    assert claimed.runs() == []


def test_a_toggle_shows_what_it_claims(claimed):
    shown = claimed.run("toggles", "speed").stdout
    assert "fast: against slow, response lower by at least 10% (browse)" in shown
    declared = json.loads(claimed.run("toggles", "speed", "--json").stdout)[0]["claims"]["fast"]
    assert (declared["metric"], declared["direction"], declared["at_least"]) == (
        "response_bytes",
        "lower",
        0.1,
    )


def test_without_a_claim_there_is_nothing_to_prove(project):
    ran = project.run("prove")
    assert ran.returncode == 2
    assert "nothing is declared of any toggle" in ran.stderr


NEEDY = """
[toggles.broker]
choices = ["redis", "rabbitmq"]
default = "redis"
env = "BROKER"
needs = { rabbitmq = "NOWHERE_SET_URL" }

[toggles.broker.claims.rabbitmq]
before = "redis"
metric = "response_bytes"
direction = "lower"
at_least = "10%"
scenario = "browse.py"
"""


def test_what_is_not_available_here_is_told_and_left_out(claimed):
    path = claimed.folder / "loadstone.toml"
    path.write_text(path.read_text() + NEEDY)
    ran = claimed.run("prove", "--list")
    assert ran.returncode == 0
    assert "not available here: claim of broker=rabbitmq: NOWHERE_SET_URL is not set" in ran.stderr
    assert "rabbitmq" not in ran.stdout
    ran = claimed.run("prove", "broker")
    assert ran.returncode == 2
    assert "nothing of this can be tried here" in ran.stderr
    ran = claimed.run("compare", "broker=redis", "broker=rabbitmq")
    assert ran.returncode == 2
    assert "broker=rabbitmq is not available here" in ran.stderr
    assert "NOWHERE_SET_URL, or it is not available here" in claimed.run("toggles", "broker").stdout
