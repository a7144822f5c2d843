"""The parts of `loadstone.target` that need no server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadstone.config.model import Recipe, Variant
from loadstone.errors import ConfigurationError
from loadstone.target import cpu, hosts, placeholders, ports, reaper, urls
from loadstone.target.children import describe_exit, read_tail
from loadstone.target.folders import locked, mirror_folder
from loadstone.target.placeholders import Place
from loadstone.target.ports import Ports
from loadstone.target.recipes import template_key

VARIANT = Variant(
    name="after",
    label="orm=prefetch",
    argv=("{python}", "-c", "{}", "--bind=127.0.0.1:{port}"),
    directory=Path("/"),
    env={"DATABASE_URL": "{database_url}", "JSON": '{"size": "{size}", "seed": {seed}}'},
    recipe=Recipe(prepare=(), size="small", seed=3),
    health_path="/",
    python=Path("/usr/bin/python3"),
)
PLACE = Place(21_000, "postgresql://x", "redis://y", Path("/scratch"))


def test_known_placeholders_are_filled_and_other_braces_left():
    assert placeholders.command(VARIANT.argv, VARIANT, PLACE) == [
        "/usr/bin/python3",
        "-c",
        "{}",
        "--bind=127.0.0.1:21000",
    ]


def test_a_process_inherits_the_callers_environment_but_nothing_of_loadstone():
    base = {"PATH": "/bin", "LOADSTONE_RUN": "other", "DATABASE_URL": "old"}
    assert placeholders.environment(VARIANT, PLACE, base) == {
        "PATH": "/bin",
        "DATABASE_URL": "postgresql://x",
        "JSON": '{"size": "small", "seed": 3}',
    }


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("at postgresql://u:pw@h/db failed", (), "at postgresql://…@h/db failed"),
        ("redis://:pw@h:1/0, http://h/", (), "redis://…@h:1/0, http://h/"),
        ("password p/w refused, or p%2Fw", ("p/w",), "password … refused, or …"),
        ("nothing", ("",), "nothing"),
    ],
)
def test_credentials_are_hidden(text, secrets, expected):
    assert urls.redact(text, *secrets) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("LOCALHOST", True), ("10.0.0.1", False), ("localhost.evil", False)],
)
def test_loopback_is_told_from_other_hosts(host, expected):
    assert urls.is_loopback(host) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u@a,b/x", {"a", "b"}),
        ("postgresql://u@a/x?hostaddr=10.0.0.1", {"a", "10.0.0.1"}),
        ("postgresql:///x?host=/run/postgresql", set()),
        ("postgresql:///x", set()),
    ],
)
def test_all_hosts_that_libpq_would_try_are_found(url, expected, monkeypatch):
    monkeypatch.delenv("PGHOST", raising=False)
    assert hosts.postgres_hosts(url) == expected


def test_what_a_lane_tells_a_server_lies_beneath_what_the_variant_sets():
    told = placeholders.environment(VARIANT, PLACE, {"A": "1"}, {"A": "2", "LOADSTONE_PROBE": "1"})
    assert (told["A"], told["LOADSTONE_PROBE"]) == ("2", "1")
    name, value = next(iter(placeholders.environment(VARIANT, PLACE, {}).items()))
    assert placeholders.environment(VARIANT, PLACE, {}, {name: "other"})[name] == value


def test_a_host_in_the_environment_counts(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.example")
    assert hosts.postgres_hosts("postgresql:///x") == {"db.example"}


@pytest.mark.parametrize(
    "url", ["postgresql://u:sesame@h/x?service=s", "postgresql://u:sesame@h/x?no=1", "?"]
)
def test_a_database_url_that_cannot_be_judged_is_refused_without_its_password(url):
    with pytest.raises(ConfigurationError, match="cannot be used") as caught:
        hosts.postgres_hosts(url)
    assert "sesame" not in str(caught.value)


def test_redis_hosts_are_found():
    assert hosts.redis_hosts("redis://:pw@cache.example:1/0") == {"cache.example"}
    assert hosts.redis_hosts("unix:///run/redis.sock") == set()
    with pytest.raises(ConfigurationError):
        hosts.redis_hosts("ftp://cache.example")


def test_ports_lie_outside_the_ephemeral_range(tmp_path):
    ranges = tmp_path / "range"
    for text, expected in [
        ("32768 60999", range(20_000, 32_768)),
        ("1024 60999", range(61_000, 65_536)),
        ("", range(20_000, 32_768)),
    ]:
        ranges.write_text(text)
        assert ports.candidates(ranges) == expected


def test_a_port_is_handed_out_once_over_all_runs(monkeypatch):
    one, other = Ports(), Ports()
    taken = one.take()
    monkeypatch.setattr(ports, "candidates", lambda: range(taken, taken + 2))
    assert other.take() == taken + 1
    one.give_back(taken)
    assert other.take() == taken
    one.close()
    other.close()


def test_a_port_that_somebody_listens_on_is_not_free():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
    assert ports.is_free(port)


def test_cpu_seconds_include_children_that_have_ended():
    script = """if True:
        import subprocess, sys
        subprocess.run([sys.executable, "-c", "for i in range(4000000): pass"])
        input()
    """
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        while len(cpu.tree(process.pid)) < 2:
            time.sleep(0.005)
        while len(cpu.tree(process.pid)) > 1:
            time.sleep(0.005)
        assert cpu.tree_seconds(process.pid) > cpu.process_seconds(process.pid) + 0.02
        assert cpu.tree_memory_bytes(process.pid) > 1 << 20
        process.communicate()
    assert cpu.tree(process.pid) == []
    assert cpu.tree_seconds(process.pid) == 0.0


def test_a_difference_with_an_unavailable_reading_is_unavailable():
    difference = cpu.CpuReading(2.0, None, 1.5) - cpu.CpuReading(0.5, 1.0, 1.0)
    assert difference == cpu.CpuReading(1.5, None, 0.5)


def fake_process(proc, pid, *, environ=b"", cmdline=b"", cwd="/", tty=b"0"):
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "environ").write_bytes(environ)
    (folder / "cmdline").write_bytes(cmdline)
    (folder / "stat").write_bytes(b"1 (a) b) S 1 1 1 " + tty + b" 0 0")
    (folder / "cwd").symlink_to(cwd)


def test_processes_of_a_run_are_found_and_bystanders_are_not(tmp_path):
    proc = tmp_path / "proc"
    proc.mkdir()
    home = "/state/slots/0a1b/slot-0"
    fake_process(proc, 10, environ=b"A=1\0LOADSTONE_RUN=0a1b\0")
    fake_process(proc, 11, cmdline=b"postgres: loadstone-0a1b: walwriter")
    fake_process(proc, 12, cwd=home)
    fake_process(proc, 20, cwd=home, tty=b"34816")  # a shell that looks around
    fake_process(proc, 21, cmdline=f"tail -f {home}/server.log".encode())
    fake_process(proc, 22, environ=b"LOADSTONE_RUN=ffff\0")
    (proc / "30").mkdir()
    (proc / "meminfo").write_text("")
    assert reaper.find_processes("0a1b", proc=proc) == [10, 11, 12]


def test_only_folders_of_the_run_are_removed(tmp_path):
    ours, other, link = tmp_path / "0a1b", tmp_path / "project", tmp_path / "0a1b-link"
    ours.mkdir()
    other.mkdir()
    link.symlink_to(other)
    for folder in (ours, other, link):
        reaper.remove_folder(folder, "0a1b")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["0a1b-link", "project"]


def test_a_mirror_is_made_equal_again_by_copying_what_was_written(tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    (source / "base").mkdir(parents=True)
    for name in ("kept", "written", "grown", "lost"):
        (source / "base" / name).write_text(name)
    mirror_folder(source, copy)
    inode = (copy / "base" / "kept").stat().st_ino
    (copy / "base" / "written").write_text("WRITTEN")
    (copy / "base" / "grown").write_text("grown and grown")
    (copy / "base" / "lost").unlink()
    (copy / "extra").mkdir()
    (copy / "extra" / "file").write_text("extra")
    mirror_folder(source, copy)
    assert {path.name: path.read_text() for path in (copy / "base").iterdir()} == {
        name: name for name in ("kept", "written", "grown", "lost")
    }
    assert not (copy / "extra").exists()
    assert (copy / "base" / "kept").stat().st_ino == inode


def test_a_lock_is_held_by_one_and_shared_by_readers(tmp_path):
    path = tmp_path / "lock"
    with locked(path) as had:
        assert had
        with locked(path, wait=False) as second:
            assert not second
    with locked(path, shared=True), locked(path, shared=True, wait=False) as reader:
        assert reader


def test_a_tail_is_the_last_lines(tmp_path):
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(5000)))
    assert read_tail(log, 2) == "line 4998\nline 4999"
    assert read_tail(tmp_path / "none") == ""


def test_endings_are_told_in_words():
    assert describe_exit(None) == "is still running"
    assert describe_exit(3) == "exited with code 3"
    assert describe_exit(-9) == "was killed by SIGKILL"


def test_a_template_is_named_after_what_shapes_its_data():
    assert template_key(VARIANT.recipe) == template_key(Recipe(prepare=(), size="small", seed=3))
    assert template_key(VARIANT.recipe) != template_key(Recipe(prepare=(), size="small", seed=4))


def test_this_process_carries_no_token():
    assert not reaper.carries(os.getpid(), "0123456789ab")
