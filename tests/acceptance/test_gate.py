"""The gate as a user runs it: base against head in a repository of somebody's."""

import json
import subprocess

import pytest
from projects import CONFIG

SERVER = """\
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        time.sleep(0.002)
        body = json.dumps({"path": self.path, "items": [1, 2, 3], "note": NOTE}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
GATE = """
[gate]
exact = ["response_bytes+10%"]
ignore = ["note"]

[gate.experiments.browse]
scenario = "browse.py"
lane = "probe"
"""
ACCEPTED = """\
[[accepted]]
experiment = "browse"
endpoint = "GET /page"
metric = "response_bytes"
up_to = "5kB"
reason = "clients asked for the note"
who = "jane"
until = {until}
"""


def git(folder, *words):
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True)


@pytest.fixture
def gated(project):
    """A repository of two commits; the second answers with a kilobyte more."""
    (project.folder / "loadstone.toml").write_text(CONFIG.format(server="server.py") + GATE)
    (project.folder / ".gitignore").write_text(".loadstone\nreports\n")
    git(project.folder, "init", "-q", "-b", "main")
    for note, subject in (("", "answer"), ("x" * 1000, "answer with a note")):
        (project.folder / "server.py").write_text(f"NOTE = {note!r}\n{SERVER}")
        git(project.folder, "add", "-A")
        git(project.folder, "commit", "-q", "-m", subject)
    return project


def test_a_larger_answer_fails_at_once_and_passes_while_it_is_accepted(gated):
    ran = gated.run("gate", "--quiet", "--json", "gate.json", "--annotate")
    assert ran.returncode == 1, ran.stderr
    assert "✗ GATE FAILED" in ran.stdout
    assert "answer with a note" in ran.stdout
    assert "::error file=loadstone.toml,line=" in ran.stdout
    found = json.loads((gated.folder / "gate.json").read_text())
    (failed,) = [one for one in found["findings"] if one["status"] == "failed"]
    assert (failed["subject"], failed["endpoint"]) == ("response_bytes", "GET /page")
    assert failed["after"] - failed["before"] == 1000

    accepted = gated.folder / "loadstone.accepted.toml"
    for until, code, word in (("2999-01-01", 0, "accepted"), ("2020-01-01", 1, "which is over")):
        accepted.write_text(ACCEPTED.format(until=until))
        ran = gated.run("gate", "--quiet", "--markdown", "-")
        assert ran.returncode == code, ran.stderr
        assert word in ran.stdout
        assert "clients asked for the note" in ran.stdout


def test_a_payload_that_differs_is_invalid_and_says_what_to_mend(gated):
    config = gated.folder / "loadstone.toml"
    config.write_text(config.read_text().replace('ignore = ["note"]\n', ""))
    ran = gated.run("gate", "--quiet")
    assert ran.returncode == 3
    assert "different payloads" in ran.stdout
    assert "remedy: " in ran.stdout


def test_a_wrong_rule_is_wrong_use_with_file_and_line(gated):
    config = gated.folder / "loadstone.toml"
    config.write_text(config.read_text().replace("response_bytes+10%", "response_bites"))
    ran = gated.run("gate")
    assert ran.returncode == 2
    assert "there is no fact 'response_bites'" in ran.stderr
    assert "loadstone.toml:" in ran.stderr
    assert "did you mean 'response_bytes'?" in ran.stderr


def test_timing_is_judged_and_a_budget_of_the_head_is_held(gated):
    config = gated.folder / "loadstone.toml"
    text = config.read_text().replace('lane = "probe"', 'budget = "30s"\nbudgets = ["mean<1ms", "errors<1%"]')
    config.write_text(text.replace("+10%", "+2000%"))
    ran = gated.run("gate", "--quiet", "--json", "-", "--junit", "gate.xml")
    assert ran.returncode == 1, ran.stderr
    found = json.loads(ran.stdout)
    statuses = {one["subject"]: one["status"] for one in found["findings"]}
    assert statuses["mean<1ms"] == "failed"
    assert statuses["errors<1%"] == "held"
    assert statuses["latency_mean"] in {"held", "inconclusive"}
    assert len(found["experiments"][0]["runs"]) == 2
    assert (gated.folder / "gate.xml").read_text().count("<failure") == 1
