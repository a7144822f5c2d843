"""`loadstone compare` of two servers that run already: found, measured, told of, and left alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest
from projects import SCENARIO, SERVER, Project

CONFIG = """\
[compare]
scenario = "browse.py"

[variants.new]
url = "http://127.0.0.1:{port}"
health = "/health"
"""


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def serve(port: int, **told: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, str(SERVER), str(port)], env={**os.environ, **told})
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with closing(socket.socket()) as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the server did not come up")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """A project without a target, and two servers that its user runs: 4 ms and 1 ms a request."""
    folder = tmp_path_factory.mktemp("deployed")
    ports = free_port(), free_port()
    (folder / "loadstone.toml").write_text(CONFIG.format(port=ports[1]))
    (folder / "browse.py").write_text(SCENARIO)
    servers = [serve(port, SPEED=speed) for port, speed in zip(ports, ("slow", "fast"), strict=True)]
    yield Project(folder), f"http://127.0.0.1:{ports[0]}", servers
    for server in servers:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def compared(deployed):
    project, url, servers = deployed
    ran = project.run("compare", url, "new", "--budget", "12s", "--json", "-")
    assert ran.returncode == 0, ran.stderr
    assert all(server.poll() is None for server in servers)
    return json.loads(ran.stdout), ran.stderr


def test_what_is_faster_as_it_stands_is_called_so(compared):
    result, _ = compared
    assert result["verdict"]["verdict"] == "improved"
    assert len(result["generations"]) == 6
    assert result["probe"]["payload"]["equal"] == result["probe"]["payload"]["checked"] > 0


def test_plan_and_report_say_that_nothing_was_started(compared, deployed):
    result, told = compared
    assert "blocks on servers that ran before" in told
    checks = {check["name"]: check for check in result["checks"]}
    assert checks["nothing was started"]["status"] == "warn"
    assert "two servers as they stand" in checks["nothing was started"]["message"]
    assert "drift between blocks" in checks
    assert "start orders" not in checks
    assert checks["left behind"]["status"] == "ok"
    pages = [(deployed[0].runs()[0] / name).read_text() for name in ("report.html", "report.md")]
    assert all("two servers as they stand" in page for page in pages)


def test_cpu_is_that_of_the_local_process_and_nothing_else_is_made_up(compared, deployed):
    result, _ = compared
    available = {one["metric"]: one["available"] for one in result["contrasts"] if one["endpoint"] is None}
    assert available["cpu_server"]
    assert not available["cpu"]
    assert not available["cpu_database"]
    assert all("queries" not in fact["totals"] for fact in result["probe"]["facts"])
    assert f"pid {deployed[2][0].pid}" in result["variants"][0]["provenance"]["process"]


def test_a_run_that_was_interrupted_goes_on(deployed):
    project, url, _ = deployed
    before = len(project.runs())
    process = project.start("compare", url, "new", "--budget", "14s", "--quiet")
    until = time.monotonic() + 120
    while len(project.runs()) == before and time.monotonic() < until:
        time.sleep(0.2)
    while time.monotonic() < until and '"kind":"generation"' not in journal(project.runs()[-1]):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    ran = project.run("resume", project.runs()[-1].name, "--quiet", "--json", "-")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["verdict"]["verdict"] == "improved"


def journal(run) -> str:
    try:
        return (run / "journal.jsonl").read_text()
    except OSError:
        return ""


def test_a_deployment_that_has_gone_is_told_with_a_remedy(deployed):
    project, url, _ = deployed
    ran = project.run("compare", f"http://127.0.0.1:{free_port()}", url, "--lane", "probe", "--quiet")
    assert ran.returncode == 3
    assert "nothing answers at http://127.0.0.1:" in ran.stderr
    assert "start the deployment" in ran.stderr
