"""What a flash sale is judged by: every count that is wrong is told."""

from dataclasses import replace

import pytest
from flash_sale import CHOICES
from sale import Counts, problems

STRICT = {"tasks": "celery", "cache": "aside", "invalidation": "versioned"}


def test_every_choice_has_a_sale():
    from core.toggles import declared

    for name in ("tasks", "cache", "invalidation"):
        assert {each[name] for each in CHOICES} == set(declared()[name].choices)


RIGHT = Counts(
    asked=10,
    answered=8,
    refused=2,
    failed=[],
    kept=8,
    wrong=0,
    units_sold=20,
    units_stocked=30,
    stock_left=10,
    least_stock=0,
    invoices=8,
    confirmations=8,
    papers_twice=0,
    open_tasks=0,
    tried_again=3,
    killed=2,
    sent_again=1,
    stale_pages=0,
)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kept": 9, "invoices": 9, "confirmations": 9}, "lost or doubled: 1"),
        ({"kept": 7, "invoices": 7, "confirmations": 7}, "lost or doubled: -1"),
        ({"units_sold": 21}, "beyond the stock: 1"),
        ({"least_stock": -1}, "below zero: -1"),
        ({"invoices": 7}, "invoices missing or too many: -1"),
        ({"confirmations": 9}, "confirmations missing or too many: 1"),
        ({"papers_twice": 1}, "two papers of a kind: 1"),
        ({"open_tasks": 1}, "never ended: 1"),
        ({"wrong": 1}, "not as ordered: 1"),
        ({"asked": 11}, "answers missing: 1"),
        ({"failed": ["500"], "asked": 11}, "answers that are neither: 1"),
        ({"stale_pages": 1}, "pages that are not as the database says: 1"),
    ],
)
def test_every_count_that_is_wrong_is_told(wrong, said):
    assert problems(RIGHT, STRICT) == []
    (told,) = problems(replace(RIGHT, **wrong), STRICT)
    assert said in told
