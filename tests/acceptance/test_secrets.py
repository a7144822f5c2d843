"""Canary secrets, one for each way in, are searched for in everything that runs write and show."""

import socket
import threading
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
    for folder in (project.folder / "reports", project.folder / ".loadstone"):
        for path in folder.rglob("*"):
            if path.is_file():
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
