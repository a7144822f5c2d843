"""What the gate says of commits whose effect is known, in a scratch repository, and how long it takes.

    python benchmarks/gate/proof.py --only nothing,n_plus_one
    python benchmarks/gate/proof.py --only slower_5 --budget 3m
    python benchmarks/gate/proof.py --only nothing --runs 20
    python benchmarks/gate/proof.py --runs 0
    python benchmarks/gate/proof.py --bisect 8

The app is that of benchmarks/accuracy/target, with more products. Every commit is one change of
the same base, on a branch of its own; `loadstone gate` runs as it is shipped. Each run appends a row
to data/gate.jsonl, with a seed that none before it had, so that the counts grow from day to day;
at the end all stored rows are told, machine by machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from commits import COMMITS, SPUN_S, change, n_plus_one
from rows import STORE, append, next_seed, stored, summary

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "accuracy" / "target"
PRODUCTS, FEW = 40_000, 2_000
"""What the list searches: in gate runs, and where only queries are counted."""
KEPT = ("subject", "endpoint", "status", "message", "before", "after", "estimate", "low", "high", "margin")
"""What is kept of a finding."""
CONFIG = """\
[target]
command = ["{python}", "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", "{host}:{port}", "bench.wsgi"]
health = "/health"

[target.env]
DJANGO_SETTINGS_MODULE = "bench.settings"
DATABASE_URL = "{database_url}"
SECRET_KEY = "{secret}"

[data]
redis = false
prepare = [
  ["{python}", "manage.py", "migrate", "--no-input", "--verbosity", "0"],
  ["{python}", "manage.py", "seed", "--seed", "{seed}"],
]
inputs = ["goods/migrations/*.py", "goods/management/commands/seed.py"]

[compare]
scenario = "scenarios/list.py"

[gate]
budget = "10m"

[gate.experiments.list]
scenario = "scenarios/list.py"
gating = ["latency_mean", "cpu", "errors"]
budget = "BUDGET"
"""


def main() -> int:
    """Make the repository, run the gate for each commit, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(COMMITS), help="commits, with commas")
    parser.add_argument("--budget", default="2m", help="most time to measure each for")
    parser.add_argument("--runs", type=int, default=1, help="how often each; 0 only tells what is stored")
    parser.add_argument("--store", type=Path, default=STORE, help="file of rows")
    parser.add_argument("--bisect", type=int, metavar="N", help="instead: an N+1 among N commits, bisected")
    asked = parser.parse_args()
    unknown = set(asked.only.split(",")) - set(COMMITS)
    if unknown:
        parser.error(f"no such commit: {', '.join(sorted(unknown))}; there are {', '.join(COMMITS)}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if asked.bisect or asked.runs:
            make_repository(root, asked.budget, FEW if asked.bisect else PRODUCTS)
        if asked.bisect:
            return bisect(root, asked.bisect)
        for name in asked.only.split(",") * asked.runs:
            row = run_gate(root, name, next_seed(stored(asked.store), name))
            append(asked.store, {**row, "budget": asked.budget})
            print(tell(row), flush=True)
    for line in summary(stored(asked.store)):
        print(line)
    return 0


def make_repository(root: Path, budget: str, products: int) -> None:
    """Write the base, and a branch with one commit for each change."""
    shutil.copytree(
        TARGET, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".loadstone")
    )
    shutil.copy(HERE / "where.py", root / "bench" / "where.py")
    (root / "loadstone.toml").write_text(CONFIG.replace("BUDGET", budget))
    (root / ".gitignore").write_text(".loadstone/\nreports/\n__pycache__/\n")
    change(
        root / "bench" / "wsgi.py", "application =", "import bench.where  # noqa: E402, F401\n\napplication ="
    )
    change(
        root / "goods/management/commands/seed.py",
        "PRODUCTS, MARKS_EACH = 10, 40, 2_000",
        f"PRODUCTS, MARKS_EACH = 10, 40, {products}",
    )
    git(root, "init", "-q", "-b", "base")
    commit(root, "the app as it is")
    for name, (subject, apply) in COMMITS.items():
        git(root, "checkout", "-q", "-b", name, "base")
        apply(root)
        commit(root, subject)
    git(root, "checkout", "-q", "base")


def bisect(root: Path, count: int) -> int:
    """Hide the N+1 at two thirds of `count` commits, and let `loadstone bisect` find it."""
    git(root, "checkout", "-q", "-b", "line", "base")
    for number in range(1, count + 1):
        if number == max(1, 2 * count // 3):
            n_plus_one(root)
            commit(root, "fetch the shelf where it is shown")
        else:
            with (root / "goods" / "views.py").open("a") as file:
                file.write(f"# change {number}\n")
            commit(root, f"change {number}")
    words = ["bisect", "base", "line", "--metric", "GET /products: queries", "--quiet"]
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "loadstone", *words], cwd=root, check=False)
    git_log = ["git", "-C", str(root), "log", "--oneline", "--no-abbrev-commit", "base..line"]
    subprocess.run(git_log, check=True)
    print(f"exit code {done.returncode} after {time.monotonic() - begin:.0f} s")
    return done.returncode


def run_gate(root: Path, name: str, seed: int) -> dict[str, Any]:
    """Run the gate and return what it said."""
    begin = time.monotonic()
    words = [
        "gate",
        "--base",
        "base",
        "--head",
        name,
        "--seed",
        str(seed),
        "--json",
        "-",
        "--quiet",
        "--annotate",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "loadstone", *words], cwd=root, capture_output=True, text=True, check=False
    )
    took = time.monotonic() - begin
    if not done.stdout.startswith("{"):
        return {
            "commit": name,
            "seed": seed,
            "exit_code": done.returncode,
            "error": done.stderr,
            "took_s": took,
        }
    text, _, annotations = done.stdout.partition("\n::")
    told = json.loads(text)
    keep = ("outcome", "headline", "exit_code", "exact_took_s")
    return {
        "commit": name,
        "seed": seed,
        **{key: told[key] for key in keep},
        "spun_s": SPUN_S.get(name, 0.0),
        "took_s": round(took, 1),
        "findings": [{key: one.get(key) for key in KEPT} for one in told["findings"]],
        "annotations": [f"::{line}" for line in annotations.strip().split("\n::") if line],
    }


def tell(row: dict[str, Any]) -> str:
    """Return a row as lines for people."""
    if "error" in row:
        return f"{row['commit']}: exit code {row['exit_code']} after {row['took_s']:.0f} s\n{row['error']}"
    told = f"exact facts known after {row['exact_took_s']:.0f} s, took {row['took_s']:.0f} s"
    lines = [f"{row['commit']} (seed {row['seed']}): {row['outcome']}, exit code {row['exit_code']}, {told}"]
    lines += [f"    {one['status']}: {one['message'].splitlines()[0]}" for one in row["findings"]]
    lines += [f"    {line.splitlines()[0][:160]}" for line in row["annotations"]]
    return "\n".join(lines)


def commit(root: Path, subject: str) -> None:
    """Commit everything."""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", subject)


def git(root: Path, *words: str) -> None:
    """Run git as nobody in particular."""
    settings = ["-c", "user.name=proof", "-c", "user.email=proof@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *settings, *words], check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
