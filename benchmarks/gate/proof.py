"""What the gate says of commits whose effect is known, in a scratch repository, and how long it takes.

    python benchmarks/gate/proof.py --only nothing,n_plus_one
    python benchmarks/gate/proof.py --only slower_5 --budget 3m
    python benchmarks/gate/proof.py --only nothing --times 20
    python benchmarks/gate/proof.py --bisect 8

The app is that of benchmarks/accuracy/target, with more products. Every commit is one change of
the same base, on a branch of its own; `loadstone gate` runs as it is shipped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "accuracy" / "target"
PRODUCTS = 40_000
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
INDEX = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("goods", "0001_initial")]
    operations = [migrations.RemoveIndex(model_name="product", name="goods_by_shelf")]
"""
SPIN = """\
        end = time.perf_counter() + {seconds}
        while time.perf_counter() < end:
            pass
"""


def main() -> int:
    """Make the repository, run the gate for each commit, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(COMMITS), help="commits, with commas")
    parser.add_argument("--budget", default="2m", help="most time to measure each for")
    parser.add_argument("--times", type=int, default=1, help="how often each, with seeds 1, 2, …")
    parser.add_argument("--json", type=Path, help="append a line for each run to this file")
    parser.add_argument("--bisect", type=int, metavar="N", help="instead: an N+1 among N commits, bisected")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_repository(root, asked.budget)
        if asked.bisect:
            return bisect(root, asked.bisect)
        for name in asked.only.split(","):
            for seed in range(1, asked.times + 1):
                row = run_gate(root, name, seed)
                print(tell(row), flush=True)
                if asked.json:
                    with asked.json.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    return 0


def make_repository(root: Path, budget: str) -> None:
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
        f"PRODUCTS, MARKS_EACH = 10, 40, {PRODUCTS}",
    )
    git(root, "init", "-q", "-b", "base")
    commit(root, "the app as it is")
    for name, (subject, apply) in COMMITS.items():
        git(root, "checkout", "-q", "-b", name, "base")
        apply(root)
        commit(root, subject)
    git(root, "checkout", "-q", "base")


def nothing(root: Path) -> None:
    """Change a comment."""
    change(root / "goods" / "views.py", "PER_PAGE = 14", "PER_PAGE = 14  # what fits on a screen")


def n_plus_one(root: Path) -> None:
    """Fetch each product's shelf by itself, and answer the same."""
    file = root / "goods" / "serializers.py"
    change(
        file,
        "    shelf = ShelfSerializer(read_only=True)\n",
        "    shelf = serializers.SerializerMethodField()\n\n"
        "    def get_shelf(self, product: Product) -> dict[str, object]:\n"
        '        """Return the shelf."""\n'
        "        return ShelfSerializer(Shelf.objects.get(pk=product.shelf_id)).data\n",
    )


def dropped_index(root: Path) -> None:
    """Drop the index by which the list finds its page."""
    (root / "goods" / "migrations" / "0002_no_index.py").write_text(INDEX)


def slower(share: float) -> Callable[[Path], None]:
    """Return a change that spins in the list's view: `share` of about 8 ms."""

    def apply(root: Path) -> None:
        file = root / "goods" / "views.py"
        change(file, "from django.db.models import", "import time\n\nfrom django.db.models import")
        spin = SPIN.format(seconds=round(0.008 * share, 6))
        change(
            file,
            "        given = self.request.query_params\n",
            f"{spin}        given = self.request.query_params\n",
        )

    return apply


def failing(root: Path) -> None:
    """Answer one request in eight at once, with a failure."""
    file = root / "goods" / "views.py"
    change(file, "PER_PAGE = 14\n", "PER_PAGE = 14\nfrom itertools import count\nseen = count()\n")
    change(
        file,
        "        given = self.request.query_params\n",
        '        if next(seen) > 200 and next(seen) % 8 == 0:\n            raise RuntimeError("no shelf")\n'
        "        given = self.request.query_params\n",
    )


COMMITS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "nothing": ("say why a page has fourteen products", nothing),
    "n_plus_one": ("fetch the shelf where it is shown", n_plus_one),
    "dropped_index": ("drop an index that nobody needs", dropped_index),
    "slower_2": ("take 2% longer", slower(0.02)),
    "slower_5": ("take 5% longer", slower(0.05)),
    "failing": ("answer failures at once", failing),
}


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
        "took_s": round(took, 1),
        "findings": [
            {key: one[key] for key in ("subject", "endpoint", "status", "message")}
            for one in told["findings"]
        ],
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


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there once."""
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"{path} does not hold {old!r} once")
    path.write_text(text.replace(old, new))


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
