"""However a harness or a server ends, nothing of the run is left, and the reason is told."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadstone.errors import TargetError
from loadstone.target.accounts import Account, can_reach, reachable_copy, service_account, stand_in
from loadstone.target.clean import clean_state
from loadstone.target.cpu import is_running
from loadstone.target.processes import Supervisor, find_processes

HARNESS = Path(__file__).with_name("harness.py")
ROOT = Path(__file__).parents[3]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")


@contextmanager
def harness(*words):
    process = subprocess.Popen(
        [sys.executable, HARNESS, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        line = process.stdout.readline()
        yield process, json.loads(line or pytest.fail(process.stderr.read().decode()))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def wait_until(condition, seconds=3.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_harness_that_is_killed_leaves_neither_process_nor_folder(project, number):
    with harness(project, project / ".loadstone") as (process, told):
        assert len(find_processes(told["token"])) > len(told["services"])
        process.send_signal(number)
        process.wait(timeout=20)
        assert wait_until(lambda: not find_processes(told["token"]))
        assert wait_until(lambda: not Path(told["home"]).exists())
        assert not any(Path(path).exists() for path in told["shared"])


def test_an_ordinary_end_stops_even_what_left_its_group(project):
    with harness(project, project / ".loadstone") as (process, told):
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        assert find_processes(told["token"]) == []
        assert not Path(told["home"]).exists()


@needs_root
def test_the_same_works_for_an_ordinary_user(project, open_folder):
    account = service_account()
    candidates = (Path(path) for path in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable))
    python = next((each for each in candidates if each.exists() and can_reach(each, account)), None)
    if python is None:
        pytest.skip("no Python that an ordinary user can execute")
    state = open_folder / "ordinary"
    state.mkdir()
    os.chown(state, account.uid, account.gid)
    with harness(project, state / ".loadstone", account.name, python) as (process, told):
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in find_processes(told["token"])}
        assert owners == {account.uid}
        assert told["version"].startswith("18")
        process.kill()
        process.wait()
        assert wait_until(lambda: not find_processes(told["token"]))
        assert wait_until(lambda: not Path(told["home"]).exists())


@needs_root
def test_a_project_that_services_cannot_reach_keeps_its_state_elsewhere(open_stage, make_variant):
    closed = Path(tempfile.mkdtemp())  # mode 700, as root's home has
    try:
        wanted = closed / "project" / ".loadstone"
        stage = open_stage(wanted, slots=1)
        assert stage.state.root == stand_in(wanted)
        with stage.generation([(make_variant(size="10"), 0)]) as running:
            assert running[0].alive()
        stage.close()
        assert clean_state(wanted)[1] == []
        assert not stand_in(wanted).exists()
    finally:
        shutil.rmtree(closed)


@needs_root
def test_binaries_that_services_cannot_reach_are_copied_once(open_folder, tmp_path):
    account = service_account()
    tmp_path.chmod(0o700)
    program = tmp_path / "wheel" / "bin" / "program"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    assert not can_reach(program, account)
    copy = reachable_copy(program, open_folder, "1.0", account)
    assert can_reach(copy, account)
    assert reachable_copy(program, open_folder, "1.0", account) == copy
    assert reachable_copy(program, open_folder, "1.0", None) == program


def failure(stage, variant):
    with pytest.raises(TargetError) as caught, stage.generation([(variant, 0)]):
        pass
    return caught.value


def test_a_server_that_exits_at_once_shows_its_log(stage, make_variant):
    script = "import sys; print('no such setting: SPEED'); sys.exit(3)"
    error = failure(stage, make_variant(argv=("{python}", "-c", script)))
    assert error.problem == "the server of before exited with code 3 before it was healthy"
    assert "no such setting: SPEED" in error.cause


def test_a_server_that_never_becomes_healthy_is_given_up(stage, make_variant):
    error = failure(stage, make_variant(health_path="/missing", start_timeout_s=1.0))
    assert error.problem == "the server of before was not healthy within 1 s"
    assert "last answer of /missing: status 404" in error.cause
    assert "listening on" in error.cause


def test_a_database_that_dies_while_a_server_starts_is_named_at_once(stage, make_variant, monkeypatch):
    def launch_and_kill(part):
        server = launch(part)
        os.kill(part.database.child.pid, signal.SIGKILL)
        return server

    launch = stage._launch
    monkeypatch.setattr(stage, "_launch", launch_and_kill)
    error = failure(stage, make_variant(health_path="/missing", start_timeout_s=60.0))
    assert "PostgreSQL" in error.problem
    assert "was killed by SIGKILL while the server of before started" in error.problem


def test_passwords_stay_out_of_errors(stage, make_variant, project):
    error = failure(stage, make_variant(health_path="/missing", start_timeout_s=0.5))
    assert (project / ".loadstone" / "password").read_text() not in str(error)
    assert "postgresql://…@127.0.0.1" in error.cause


def test_a_command_that_does_not_exist_is_named(stage, make_variant):
    error = failure(stage, make_variant(argv=("no-such-program", "{port}")))
    assert error.problem == "the server of before could not be started"
    assert "no-such-program" in error.cause


def test_a_stranger_on_the_port_is_not_taken_for_the_server(stage, make_variant, project, monkeypatch):
    """A server that ignores its port may leave it to somebody else, who answers 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        taken = probe.getsockname()[1]
    stranger = subprocess.Popen([sys.executable, project / "server.py", str(taken)], stdout=subprocess.PIPE)
    try:
        stranger.stdout.readline()
        monkeypatch.setattr(stage._ports, "take", lambda: taken)
        idle = make_variant(
            argv=("{python}", "-c", "import time; time.sleep(60)"), needs_postgres=False, needs_redis=False
        )
        with (
            pytest.raises(TargetError, match="is answered by another program"),
            stage.generation([(idle, 0)]),
        ):
            pass
    finally:
        stranger.kill()
        stranger.communicate()


def test_a_server_that_forgets_its_environment_is_no_stranger(stage, make_variant, project):
    """As nginx, which writes its title over it."""
    script = (
        "import subprocess, sys; "
        f"program = [sys.executable, {str(project / 'server.py')!r}, sys.argv[1]]; "
        "sys.exit(subprocess.call(program, env={}, cwd='/'))"
    )
    forgetful = make_variant(
        argv=("{python}", "-c", script, "{port}"), needs_postgres=False, needs_redis=False
    )
    with stage.generation([(forgetful, 0)]) as running:
        answering = running["before"].pids()[-1]
        assert len(running["before"].pids()) == 2
    assert not is_running(answering), "it ends with its group"


def test_a_port_that_was_snatched_is_replaced(stage, make_variant, monkeypatch):
    stage.prepare([make_variant()])
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        take, calls = stage._ports.take, []

        def snatched():
            calls.append(take())
            return stranger.getsockname()[1] if len(calls) in {1, 3, 5} else calls[-1]

        monkeypatch.setattr(stage._ports, "take", snatched)
        with stage.generation([(make_variant(), 0)]) as running:
            assert running[0].alive()
        assert len(calls) > 3


def test_a_recipe_that_fails_shows_its_log_and_leaves_no_template(stage, make_variant):
    script = "import sys; print('relation missing'); sys.exit(1)"
    variant = make_variant(prepare=(("{python}", "-c", script),))
    templates = set(stage.state.templates.glob("*"))
    with pytest.raises(TargetError, match="preparing the data of before failed") as caught:
        stage.prepare([variant])
    assert "relation missing" in caught.value.cause
    assert {path for path in stage.state.templates.glob("*") if path.is_dir()} <= templates


def test_ddl_that_fails_is_quoted(stage, make_variant):
    with pytest.raises(TargetError, match="the schema change `CREATE INDEX ON nothing") as caught:
        stage.prepare([make_variant(ddl=("CREATE INDEX ON nothing (id)",))])
    assert 'relation "nothing" does not exist' in caught.value.cause


def test_what_ignores_the_gentle_signal_is_killed(tmp_path):
    with Supervisor() as owner:
        script = (
            "import signal as s, time; s.signal(15, s.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
        )
        child = owner.start("deaf", [sys.executable, "-c", script], log=tmp_path / "log", cwd=tmp_path)
        assert wait_until(lambda: "deaf" in child.log_tail())
        owner.stop(child, grace_s=0.1)
        assert child.ending() == "was killed by SIGKILL"


def test_clean_leaves_a_living_run_alone_and_removes_a_dead_one(open_stage, make_variant, open_folder):
    wanted = open_folder / "cleaned"
    stage = open_stage(wanted, slots=1)
    variant = make_variant(size="10")
    with stage.generation([(variant, 0)]) as running:
        removed, kept = clean_state(wanted)
        assert removed == []
        assert {path.name for path in kept} >= {stage.token}
        assert running[0].alive()
    dead = stage.state.slots / "0123456789ab"
    dead.mkdir()
    stage.close()
    assert dead in clean_state(wanted, dry_run=True)[0]
    assert dead.exists()
    removed, kept = clean_state(wanted)
    assert (dead in removed, kept) == (True, [])
    assert not wanted.exists()


def test_accounts_are_told_from_each_other(tmp_path):
    tmp_path.chmod(0o700)
    assert not can_reach(tmp_path, Account("someone", 54_321, 54_321))
    assert can_reach(tmp_path, None)
