"""A flash sale: many order the same few products at once while workers are killed; all is counted.

    python benchmarks/shop/flash_sale.py                                   # every choice
    python benchmarks/shop/flash_sale.py --only tasks=celery,cache=aside   # some

Of each choice of the toggles `tasks`, `cache` and `invalidation`: stock never below
zero, every order that was answered is there once with what was ordered, and each has
one invoice and one confirmation. Workers are killed (SIGKILL, whole) as long as the
sale goes on. Exit code 1 where a count is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from sale import Counts, Sale, problems
from shop import Shop, running_shop

CHOICES = [
    {"tasks": tasks, "cache": cache, "invalidation": invalidation}
    for tasks in ("inline", "celery")
    for cache, invalidations in (
        ("off", ("versioned",)),
        ("view", ("versioned",)),
        ("query", ("versioned",)),
        ("aside", ("ttl", "event", "versioned")),
    )
    for invalidation in invalidations
]
"""Where nothing is kept aside nothing is invalidated: the third toggle acts with `cache=aside` alone."""
COLUMNS = {
    "answered": "orders taken",
    "refused": "sold out",
    "kept": "in database",
    "units_sold": "units sold",
    "stock_left": "stock left",
    "least_stock": "least stock",
    "invoices": "invoices",
    "confirmations": "confirmations",
    "killed": "workers killed",
    "tried_again": "tried again",
    "sent_again": "sent again",
    "stale_pages": "stale pages",
}


def main() -> int:
    """Hold a sale for each choice, print the counts, and tell whether all are right."""
    options = _options()
    wanted = dict(pair.split("=") for pair in options.only.split(",") if pair)
    chosen = [each for each in CHOICES if wanted.items() <= each.items()]
    if not chosen:
        print(f"no choice fits --only {options.only}: use tasks=, cache= and invalidation=", file=sys.stderr)
        return 2
    wrong = 0
    print(_line("choice", list(COLUMNS.values())), file=sys.stderr if options.json else sys.stdout)
    told = []
    for choices, counts in _sales(chosen, options.orders, options.clients):
        found = problems(counts, choices)
        wrong += bool(found)
        told.append({"choices": choices, "counts": asdict(counts), "problems": found})
        if not options.json:
            _print(choices, counts, found)
    if options.json:
        print(json.dumps(told, indent=2))
    return 1 if wrong else 0


def _sales(
    chosen: list[dict[str, str]], orders: int, clients: int
) -> Iterator[tuple[dict[str, str], Counts]]:
    with tempfile.TemporaryDirectory(prefix="loadstone-sale-") as folder, running_shop(Path(folder)) as shop:
        for choices in chosen:
            yield choices, hold(shop, choices, orders=orders, clients=clients)


def hold(shop: Shop, choices: dict[str, str], *, orders: int, clients: int) -> Counts:
    """Hold one sale with a server of its own; return what came of it."""
    with shop.serving(choices) as base_url, shop.dying_workers(choices) as workers:
        sale = Sale(base_url, shop.database_url, orders=orders, clients=clients)
        with sale.prepared():
            workers.kill_while(sale.run)
            workers.finish(sale.open_tasks)
            return sale.count(killed=workers.killed, sent_again=workers.sent_again)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="choices that must hold, such as tasks=celery,cache=off")
    parser.add_argument("--orders", type=int, default=240, help="how many are tried in each sale")
    parser.add_argument("--clients", type=int, default=12, help="how many try at the same time")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    return parser.parse_args()


def _print(choices: dict[str, str], counts: Counts, found: list[str]) -> None:
    values = [str(getattr(counts, name)) for name in COLUMNS]
    print(_line(" ".join(choices.values()), values), "  ok" if not found else f"  WRONG: {'; '.join(found)}")


def _line(first: str, cells: list[str]) -> str:
    return f"{first:<24}" + "".join(
        f"{cell:>{max(9, len(head) + 2)}}" for cell, head in zip(cells, COLUMNS.values(), strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
