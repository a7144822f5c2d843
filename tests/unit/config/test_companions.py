"""Companions and choices that need something: declared in `loadstone.toml`, checked with file and line."""

import pytest

from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.load import load_project, unavailable
from loadstone.errors import ConfigurationError

CONFIG = """
[target]
command = ["{python}", "server.py", "{port}"]

[target.companions.worker]
command = ["{python}", "worker.py"]
when = { tasks = "queue", broker = "redis" }
ready = "ready"

[compare]
scenario = "browse.py"

[toggles.tasks]
choices = ["inline", "queue"]
default = "inline"
env = "TASKS"

[toggles.broker]
choices = ["redis", "rabbitmq"]
default = "redis"
env = "BROKER"
needs = { rabbitmq = "RABBITMQ_URL" }
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Give a function that writes a project and reads it."""
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    (tmp_path / "browse.py").touch()

    def project(text=CONFIG):
        (tmp_path / "loadstone.toml").write_text(text)
        return load_project(tmp_path / "loadstone.toml")

    return project


def test_a_companion_runs_where_all_its_choices_are_made(write):
    experiment = compile_experiment(write(), Wish("tasks=inline", "tasks=queue"))
    before, after = experiment.variants
    assert before.companions == ()
    assert [(each.name, each.argv, each.ready) for each in after.companions] == [
        ("worker", ("{python}", "worker.py"), "ready")
    ]


def test_without_conditions_it_runs_everywhere(write):
    text = CONFIG.replace('when = { tasks = "queue", broker = "redis" }\n', "")
    experiment = compile_experiment(write(text), Wish("tasks=inline", "tasks=queue"))
    assert [len(each.companions) for each in experiment.variants] == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('tasks = "queue",', 'taks = "queue",', "companion 'worker': unknown toggle 'taks'"),
        ('tasks = "queue",', 'tasks = "quue",', "companion 'worker': toggle 'tasks' has no choice 'quue'"),
        ('["{python}", "worker.py"]', "[]", "companion 'worker' has no command"),
        ("{ rabbitmq =", "{ rabitmq =", "toggle 'broker': needs for 'rabitmq', which is no choice"),
        ("ready =", "redy =", "unknown field `redy`"),
    ],
)
def test_mistakes_are_told_with_their_line(write, old, new, problem):
    with pytest.raises(ConfigurationError) as caught:
        write(CONFIG.replace(old, new))
    assert problem in caught.value.problem
    assert "loadstone.toml:" in caught.value.cause


def test_a_choice_is_available_where_its_variable_is_set(write, monkeypatch):
    project = write()
    assert unavailable(project, "broker", "redis") == ""
    assert unavailable(project, "broker", "rabbitmq") == "RABBITMQ_URL is not set"
    with pytest.raises(ConfigurationError, match="broker=rabbitmq is not available here"):
        compile_experiment(project, Wish("broker=redis", "broker=rabbitmq"))
    monkeypatch.setenv("RABBITMQ_URL", "amqp://somewhere/")
    assert unavailable(project, "broker", "rabbitmq") == ""
    assert compile_experiment(project, Wish("broker=redis", "broker=rabbitmq")).variants[1].toggles["broker"]
