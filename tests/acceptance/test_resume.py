"""A run that was interrupted, and killed, goes on to its end as if nothing had happened."""

import json
import signal
import time

from projects import Project

from loadstone.record.folder import RESULT
from loadstone.record.journal import JOURNAL

COMPARE = (
    "compare",
    "speed=slow",
    "speed=slow",
    "--allow-identical",
    "--budget",
    "24s",
    "--generations",
    "8",
)


def lines(project: Project, kind: str) -> list[bytes]:
    """Return the journal's whole lines of one kind; none where there is no journal yet."""
    path = project.runs()[0] / JOURNAL if project.runs() else project.folder / JOURNAL
    whole = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [line for line in whole if line.startswith(b'{"kind":"%s"' % kind.encode())]


def end_after(project: Project, words: tuple[str, ...], number: signal.Signals, generations: int):
    """Run until so many generations are sealed, and end it with a signal."""
    process = project.start(*words)
    deadline = time.monotonic() + 120
    while len(lines(project, "generation")) < generations and process.poll() is None:
        assert time.monotonic() < deadline, "no generation was sealed"
        time.sleep(0.05)
    if number == signal.SIGINT:
        assert "stopped" in project.run("stop").stdout, "as Ctrl-C would"
    else:
        process.send_signal(number)
    return process.communicate(timeout=60), process.returncode


def test_an_interrupted_and_killed_run_goes_on_to_its_end(project):
    assert "no run of this project goes on" in project.run("stop").stdout
    (_, told), code = end_after(project, COMPARE, signal.SIGINT, 1)
    (run,) = project.runs()
    assert code == 130
    assert f"loadstone resume {run.name}" in told
    assert json.loads((run / RESULT).read_text())["run"]["status"] == "partial"

    before = lines(project, "generation")
    end_after(project, ("resume", run.name), signal.SIGKILL, len(before) + 2)
    with (run / JOURNAL).open("ab") as journal:
        journal.write(b'{"kind":"generation","index":')  # torn by the kill
    before = lines(project, "generation")

    ran = project.run("resume", run.name, "--json", "-")
    result = json.loads(ran.stdout)
    assert ran.returncode == result["verdict"]["exit_code"] in {0, 1}, ran.stderr
    assert result["run"]["status"] == "complete"
    assert [one["index"] for one in result["generations"]] == list(range(len(result["generations"])))
    assert lines(project, "generation")[: len(before)] == before, "what was sealed is kept"
    resumed = next(check for check in result["checks"] if check["name"] == "resumed")
    assert "continued 2 times" in resumed["message"]
    assert len(lines(project, "plan")) == len(lines(project, "probe")) == 1
    assert project.run("verify", run.name).returncode == 0

    again = project.run("resume", run.name)
    assert again.returncode == 2
    assert "is complete" in again.stderr


def test_what_is_no_run_is_wrong_use(project):
    ran = project.run("resume", "nowhere")
    assert ran.returncode == 2
    assert "remedy:" in ran.stderr
