"""A project of somebody's, with a small server as its target, and the CLI run as a user runs it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[1] / "fixtures" / "toggled_server.py"

CONFIG = """\
[target]
command = ["{{python}}", "{server}", "{{port}}"]
health = "/health"
start_timeout = "4s"

[data]
postgres = false
redis = false

[compare]
scenario = "browse.py"

[toggles.speed]
choices = ["slow", "fast", "deferred"]
default = "slow"
env = "SPEED"

[toggles.answer]
choices = ["right", "wrong", "failing"]
default = "right"
env = "ANSWER"

[toggles.life]
choices = ["long", "short", "stillborn", "refusing"]
default = "long"
env = "LIFE"
"""

SCENARIO = """\
import random
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def browse(self):
        self.client.get(f"/page/{random.randint(1, 99)}", name="/page")
"""


@dataclass
class Project:
    """A folder with a loadstone.toml, and the commands run in it."""

    folder: Path

    def start(
        self, *words: str, env: dict[str, str] | None = None, **options: object
    ) -> subprocess.Popen[str]:
        """Start `loadstone WORDS` in the project."""
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **(env or {})}
        return subprocess.Popen(
            [sys.executable, "-m", "loadstone", *words],
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def run(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `loadstone WORDS` to its end."""
        process = self.start(*words, env=env)
        out, err = process.communicate(timeout=180)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def runs(self) -> list[Path]:
        """Return the run folders."""
        return sorted((self.folder / "reports").glob("*"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "loadstone.toml").write_text(CONFIG.format(server=SERVER))
    (tmp_path / "browse.py").write_text(SCENARIO)
    return Project(tmp_path)
