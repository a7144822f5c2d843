"""A harness of its own: runs one generation, prints what runs, and waits to be killed.

Usage: harness.py PROJECT STATE [ACCOUNT PYTHON]. With an account, it drops root's
rights first and lets PYTHON, which the account can execute, stand in for its own.
"""

import encodings.idna  # noqa: F401 - the standard library may be out of reach later
import http.client  # noqa: F401 - as above
import json
import os
import pwd
import signal
import sys
from pathlib import Path

import psycopg2  # noqa: F401 - as above
import redis.connection  # noqa: F401 - as above

from loadstone.config.model import Recipe, Variant
from loadstone.target.sql import session
from loadstone.target.stage import Stage


def drop_rights(name):
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def shared_memory(pid):
    return {word for word in Path(f"/proc/{pid}/maps").read_text().split() if "/PostgreSQL." in word}


def main():
    for number in (signal.SIGHUP, signal.SIGTERM):  # whoever started the tests may have ignored them
        signal.signal(number, signal.SIG_DFL)
    project, state, *rest = sys.argv[1:]
    if rest:
        drop_rights(rest[0])
        sys.executable = rest[1]
    variant = Variant(
        name="before",
        label="before",
        argv=("{python}", "server.py", "{port}", "--stray"),
        directory=Path(project),
        env={"DATABASE_URL": "{database_url}"},
        recipe=Recipe(prepare=(), size="", seed=0),
        health_path="/health",
        python=Path(sys.executable),
    )
    with Stage(Path(state), slots=1) as stage, stage.generation([(variant, 0)]) as running:
        with session(running[0].database_url) as database:
            version = database.run("SHOW server_version")[0][0]
        told = {"token": stage.token, "home": str(stage.home), "pids": running[0].pids(), "version": version}
        told["shared"] = sorted(shared_memory(running[0].children()[0].pid))
        told["services"] = [child.pid for child in running[0].children()]
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


main()
