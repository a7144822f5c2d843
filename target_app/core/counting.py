"""How many rows a list has: exactly, about, or not at all (toggle `count`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet


def count_exactly(queryset: QuerySet[Any]) -> int:
    """Count the rows: PostgreSQL visits every one that matches."""
    return queryset.count()


def estimate(queryset: QuerySet[Any]) -> int:
    """Return the planner's guess, from the statistics of the last ANALYZE.

    It visits no row, and follows the filters. See "Row Estimation Examples" in
    PostgreSQL's documentation.
    """
    text = queryset.order_by().explain(format="json")
    if not text:  # Django knows of itself that nothing can match, and asks no database
        return 0
    return int(json.loads(text)[0]["Plan"]["Plan Rows"])


def count_nothing(_queryset: QuerySet[Any]) -> None:
    """Leave the number out."""


COUNTS: dict[str, Callable[[QuerySet[Any]], int | None]] = {
    "exact": count_exactly,
    "estimated": estimate,
    "none": count_nothing,
}
