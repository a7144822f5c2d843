"""Make the sample reports of `reports/samples/`: `python benchmarks/report/samples.py`.

Runs the shop's experiments one after another, as a user would, keeps what each found
(`runs/<name>/`), builds the static site of them all (`site/`), and lists its pages in
`README.md`. The raw data of a run stays in its own folder under `reports/`, where
`loadstone verify` judges it again. Where there is a Chromium, the README's picture is
taken of one of the pages.

    python benchmarks/report/samples.py                  all, about ten minutes, on a machine at rest
    python benchmarks/report/samples.py orm identical    these again, the others as they were kept
    python benchmarks/report/samples.py --render         no run: what was kept, drawn anew
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from loadstone.record.folder import write_atomically
from loadstone.report import quantities
from loadstone.report.cards import MAKERS
from loadstone.report.library import Shelved, build_site, find_results

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"
KEPT = REPORTS / "samples" / "runs"
SITE = REPORTS / "samples" / "site"
LIMIT_S = 600
PICTURE = ROOT / "docs" / "images" / "report.png"
PICTURED = "orm=naive → orm=prefetch"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INTRODUCTION = """# Sample reports

Runs of the reference shop on a shared virtual machine with 2 cores, made by
`python benchmarks/report/samples.py`: `runs/` holds what each found, `site/` is
`loadstone report site` of them all. GitHub shows pages as text: open `site/index.html`
in a checkout. [What was checked of them by hand](../../docs/report.md#samples).
"""
ENDED = (0, 1)
"""Exit codes of a run that may be shown: nothing failed, or something regressed."""
COMPARED = "--budget 60s --profile"
SAMPLES = {
    "orm": f"compare orm=naive orm=prefetch --size medium {COMPARED}",
    "indexes": f"compare indexes=none indexes=composite --size medium {COMPARED}",
    "cache": f"compare cache=off cache=aside --size medium {COMPARED}",
    "pagination": f"compare pagination=limit_offset pagination=cursor --size medium {COMPARED}",
    "identical": "compare orm=prefetch orm=prefetch --allow-identical --margin 5% --budget 45s --profile",
    "load": "load orm=prefetch --rate '10:60/40s' --threshold 'p99<200ms over 5s' --threshold 'errors<0.1%'",
    "capacity": "capacity orm=naive orm=prefetch --slo 'p99<200ms' --budget 100s",
    "matrix": "matrix orm cache --budget 60s",
}
"""What is run for each sample; the page tells it too."""


def main() -> int:
    """Run what is asked for, and build the site of all that is kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SAMPLES)}; by default all")
    parser.add_argument("--render", action="store_true", help="run nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - set(SAMPLES):
        parser.error(f"there is no sample {', '.join(sorted(unknown))}; there are {', '.join(SAMPLES)}")
    for name in () if options.render else options.names or SAMPLES:
        if not _make(name):
            return 1
    shutil.rmtree(SITE, ignore_errors=True)
    shelved, _ = build_site(find_results(KEPT), SITE)
    write_atomically(KEPT.parent / "README.md", _listed(shelved).encode())
    _take_picture(shelved)
    return 0


def _listed(shelved: list[Shelved]) -> str:
    """Return the samples' own page: every run, what it found, its size and its command."""
    lines = [INTRODUCTION, "| page | kind | what was found | size |", "|---|---|---|---|"]
    for one in shelved:
        size = quantities.size((SITE / one.page).stat().st_size)
        found = f"{one.card.found} ({one.card.note})" if one.card.note else one.card.found
        page = f"[{one.card.title}](site/{one.page})"
        lines.append(f"| {page} | {one.card.kind} | {one.card.word}: {found} | {size} |")
    commands = [_command(folder) for folder in find_results(KEPT)]
    return "\n".join([*lines, "", "```", *commands, "```", ""])


def _command(folder: Path) -> str:
    """Return the command that made a kept result."""
    told = json.loads(next(folder.glob("*.json")).read_bytes())
    return str((told.get("run") or told["plan"])["command"])


def _take_picture(shelved: list[Shelved]) -> None:
    """Take the README's picture, where a browser can; pages link to nothing that this could miss."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    page = next((one.page for one in shelved if one.card.title == PICTURED), None)
    if browser is None or page is None:
        print("the picture stays as it is: no Chromium, or no page to take it of", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as profile:
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        words += [f"--user-data-dir={profile}", "--window-size=1280,860", f"--screenshot={PICTURE}"]
        subprocess.run([browser, *words, (SITE / page).as_uri()], check=True, capture_output=True)


def _make(name: str) -> bool:
    """Run a sample and keep its result; False where it did not come to its end."""
    before = set(find_results(REPORTS))
    command = [sys.executable, "-m", "loadstone", *shlex.split(SAMPLES[name])]
    done = subprocess.run(command, cwd=ROOT, timeout=LIMIT_S, check=False)
    made = sorted(set(find_results(REPORTS)) - before)
    if done.returncode not in ENDED or not made:
        print(f"{name} ended with {done.returncode}: nothing is kept of it", file=sys.stderr)
        return False
    file = next(folder / kind for kind in MAKERS for folder in made if (folder / kind).is_file())
    target = KEPT / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    told = json.loads(file.read_bytes())
    write_atomically(target / file.name, json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
    return True


if __name__ == "__main__":
    sys.exit(main())
