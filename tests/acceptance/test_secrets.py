"""Canary secrets, one for each way in, are searched for in everything that runs write and show."""

import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from projects import Project

WAYS_IN = ("header", "cookie", "param", "login", "error", "print", "payload", "text", "setenv", "inherited",
           "database", "redis", "told", "worker")  # fmt: skip
CANARIES = {way: f"canary7{way}0f3a" for way in WAYS_IN}

SERVER = """\
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if os.environ["LIFE"] == "refusing":
    print("environment:", dict(os.environ), "database", os.environ["API_TOKEN"], flush=True)
    sys.exit(7)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        side = os.environ["SIDE"]
        kind, text = "application/json", json.dumps({"session": {"access_token": "%(payload)s" + side}})
        if self.path.startswith("/text"):
            kind, text = "text/plain", "hello\\npassword=%(text)s" + side
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "session=%(cookie)s")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

SCENARIO = """\
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    default_headers = {"Authorization": "Bearer %(header)s"}

    @task
    def ask(self):
        self.client.get("/item?api_key=%(param)s&page=2")
        self.client.get("/text", headers={"Cookie": "session=%(cookie)s"})
        print("logging in with password=%(print)s", flush=True)
        raise RuntimeError("POST http://ann:%(login)s@127.0.0.1/login {'access_token': '%(error)s'} refused")
"""

CONFIG = """\
[target]
command = ["{{python}}", "server.py", "{{port}}", "--token", "{told}"]
[target.env]
API_TOKEN = "{setenv}"
[data]
postgres = false
redis = false
[compare]
scenario = "ask.py"
[toggles.side]
choices = ["one", "other"]
default = "one"
env = "SIDE"
[toggles.life]
choices = ["long", "refusing"]
default = "long"
env = "LIFE"
"""


@pytest.fixture
def secretive(project: Project) -> Project:
    """Give a project with secrets wherever people have them."""
    (project.folder / "server.py").write_text(SERVER % CANARIES)
    (project.folder / "ask.py").write_text(SCENARIO % CANARIES)
    (project.folder / "loadstone.toml").write_text(CONFIG.format(**CANARIES))
    return project


def run(project: Project, *words: str, **more: str) -> tuple[int, str]:
    """Run to the end, watching the process list; return the exit code, and all that was shown of it."""
    env = {
        "CLIENT_SECRET": CANARIES["inherited"],
        "LOADSTONE_WORKER_TOKEN": CANARIES["worker"],
        **more,
    }
    process = project.start(*words, env=env)
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        out, err = process.communicate(timeout=120)
    finally:
        over.set()
        watcher.join()
    # what the user's own configuration puts into a command is in the process list by their own hand
    mine = {line for line in seen if "server.py" not in line}
    return process.returncode, "\n".join([out, err, *mine])


def found_in(project: Project, shown: str) -> dict[str, list[str]]:
    """Return where each canary that got out was found."""
    texts = {"shown": shown}
    for folder in (project.folder / name for name in ("reports", ".loadstone", "site", "out")):
        for path in folder.rglob("*"):
            if path.is_file() and "checkouts" not in path.parts:  # commits of the user's, as they are
                texts[str(path.relative_to(project.folder))] = path.read_bytes().decode(errors="replace")
    hits = {name: [where for where, text in texts.items() if name in text] for name in CANARIES.values()}
    return {name: where for name, where in hits.items() if where}


def test_a_comparison_and_what_is_made_of_it_hold_no_secret(secretive):
    code, shown = run(secretive, "compare", "side=one", "side=other", "--lane", "probe", "--json", "-")
    assert code == 3, shown
    assert "loadstone.workload" in shown, "the process list was seen while the generator ran"
    (folder,) = secretive.runs()
    for words in (
        ("build", folder.name),
        ("export", folder.name, "--as", "openmetrics"),
        ("diff", folder.name, folder.name),
    ):
        shown += secretive.run("report", *words).stdout
    journal = (folder / "journal.jsonl").read_text()
    assert "GET /item?api_key=…&page=2" in journal
    assert "--token" in journal, "the plan tells the command"
    assert "logging in with password=…" in (folder / "generator.log").read_text()
    assert (folder / "report.html").is_file()
    assert "$.session.access_token" in (folder / "result.json").read_text(), "that they differ is told"
    assert found_in(secretive, shown) == {}


def test_a_server_that_prints_its_environment_tells_none_of_its_secrets(secretive):
    code, shown = run(secretive, "compare", "life=long", "life=refusing", "--lane", "probe")
    assert code == 3, shown
    assert "environment:" in shown
    assert found_in(secretive, shown) == {}


def test_offered_load_and_what_is_scraped_of_it_hold_no_secret(secretive):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    scraped: list[str] = []
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(0.2):
            with suppress(OSError):
                scraped.append(
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2).read().decode()
                )

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        words = ("--rate", "20", "--for", "2s", "--warm-up", "1s", "--metrics", str(port))
        code, shown = run(secretive, "load", "side=one", *words)
    finally:
        over.set()
        scraper.join()
    assert code in {0, 1, 3}, shown
    assert any("GET /item?api_key=…&page=2" in text for text in scraped)
    assert found_in(secretive, shown + "".join(scraped)) == {}


@pytest.fixture
def answering(secretive: Project) -> Project:
    """The same with a scenario that does not fail."""
    scenario = secretive.folder / "ask.py"
    scenario.write_text("\n".join(line for line in scenario.read_text().splitlines() if "raise" not in line))
    (secretive.folder / "out").mkdir()
    return secretive


def test_a_run_that_was_killed_and_what_is_made_of_it_once_it_is_whole_hold_no_secret(answering):
    words = ("side=one", "side=one", "--allow-identical", "--budget", "20s", "--quiet")
    process = answering.start("compare", *words, env={"CLIENT_SECRET": CANARIES["inherited"]})
    until = time.monotonic() + 120
    while not any((answering.folder / "reports").glob("*/chunks/*.rows")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until, "no generation was sealed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    (folder,) = answering.runs()
    code, shown = run(answering, "resume", folder.name, "--json", "-")
    assert code in {0, 3}, shown  # enough was measured, or not, on a busy machine
    assert (folder / "report.html").is_file()
    for each in (
        ("export", folder.name, "--as", "junit", "-o", "out/run.xml"),
        ("export", folder.name, "--as", "csv", "-o", "out/run.csv"),
        ("site",),
    ):
        made = answering.run("report", *each)
        assert made.returncode == 0, made.stderr
        shown += made.stdout + made.stderr
    assert (answering.folder / "site" / "index.html").is_file()
    assert found_in(answering, shown) == {}


def test_a_gate_and_what_it_writes_hold_no_secret(answering):
    config = answering.folder / "loadstone.toml"
    config.write_text(config.read_text() + '\n[gate.experiments.ask]\nscenario = "ask.py"\nlane = "probe"\n')
    (answering.folder / ".gitignore").write_text(".loadstone\nreports\nout\n")
    git = (
        shutil.which("git"),
        "-C",
        str(answering.folder),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
    )
    for text in ("", "# as it is\n"):
        server = answering.folder / "server.py"
        server.write_text(server.read_text() + text)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "as it is")):
            subprocess.run([*git, *words], check=True, capture_output=True)
    outputs = (
        "--json",
        "out/gate.json",
        "--markdown",
        "out/gate.md",
        "--junit",
        "out/gate.xml",
        "--annotate",
    )
    code, shown = run(answering, "gate", *outputs)
    assert code == 0, shown
    assert {path.name for path in (answering.folder / "out").iterdir()} == {
        "gate.json",
        "gate.md",
        "gate.xml",
    }
    assert found_in(answering, shown) == {}


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_server_that_cannot_be_reached_is_told_of_without_its_password(secretive, way):
    """A database or a cache of the user's, with a password in its URL."""
    config = secretive.folder / "loadstone.toml"
    config.write_text(config.read_text().replace("postgres = false\nredis = false\n", ""))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    urls = {
        "database": f"postgresql://ann:{CANARIES['database']}@127.0.0.1:{port}/shop",
        "redis": f"redis://:{CANARIES['redis']}@127.0.0.1:{port}/3",
    }
    for kind, url in urls.items():
        words, env = (f"--{kind}-url", url), {}
        if way == "environment":
            words, env = (), {f"LOADSTONE_{kind.upper()}_URL": url}
        process = secretive.start("compare", "side=one", "side=other", "--lane", "probe", *words, env=env)
        shown = "".join(process.communicate(timeout=120))
        assert process.returncode in {2, 3}, shown
        assert "127.0.0.1" in shown, "it says which server"
        assert found_in(secretive, shown) == {}
