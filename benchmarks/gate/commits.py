"""Commits whose effect is known: one change each of the app in benchmarks/accuracy/target."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

LEVEL_S = 0.0105
"""What the list takes on a 2-core machine; of each run the true share is told, of its own level."""
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
    """Return a change that spins in the list's view: `share` of what it took where that was measured."""

    def apply(root: Path) -> None:
        file = root / "goods" / "views.py"
        change(file, "from django.db.models import", "import time\n\nfrom django.db.models import")
        spin = SPIN.format(seconds=round(LEVEL_S * share, 6))
        change(
            file,
            "        given = self.request.query_params\n",
            f"{spin}        given = self.request.query_params\n",
        )

    return apply


def failing(root: Path) -> None:
    """Answer one shelf in ten at once, with a failure that every request of it sees."""
    file = root / "goods" / "views.py"
    old = "        start = max(page, 0) * PER_PAGE\n"
    change(file, old, f'        if shelf == 3:\n            raise RuntimeError("no shelf")\n{old}')


def failing_later(root: Path) -> None:
    """Answer one request in eight at once, with a failure, once some hundred have been answered well."""
    file = root / "goods" / "views.py"
    change(file, "PER_PAGE = 14\n", "PER_PAGE = 14\nfrom itertools import count\nseen = count()\n")
    change(
        file,
        "        given = self.request.query_params\n",
        '        if next(seen) > 200 and next(seen) % 8 == 0:\n            raise RuntimeError("no shelf")\n'
        "        given = self.request.query_params\n",
    )


SPUN_S = {"slower_2": LEVEL_S * 0.02, "slower_5": LEVEL_S * 0.05}
"""What these commits add to a request."""
COMMITS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "nothing": ("say why a page has fourteen products", nothing),
    "n_plus_one": ("fetch the shelf where it is shown", n_plus_one),
    "dropped_index": ("drop an index that nobody needs", dropped_index),
    "slower_2": ("take 2% longer", slower(0.02)),
    "slower_5": ("take 5% longer", slower(0.05)),
    "failing": ("answer one shelf with a failure, at once", failing),
    "failing_later": ("answer failures at once, under load only", failing_later),
}


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there once."""
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"{path} does not hold {old!r} once")
    path.write_text(text.replace(old, new))
