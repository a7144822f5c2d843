"""A product's rating and number of reviews (toggle `rating`): computed row by row, annotated, or stored.

Filters and orderings name `rating` and `review_count` whatever the toggle says:
the query knows by these names what they stand for. Stored figures are kept by an
event: whoever writes a review sends `review_written` within its transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Avg,
    Count,
    DecimalField,
    Expression,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce, Round
from django.dispatch import Signal

from catalogue import models
from core import toggles

review_written = Signal()
"""Sent with `product`, a key, whose row the sender has locked."""


class Figures(NamedTuple):
    """What the reviews of a product come to."""

    rating: Decimal
    """Mean, in hundredths, halves up; 0 without reviews."""
    review_count: int


def figures(product: int) -> Figures:
    """Return a product's figures from its reviews: one query."""
    found = models.Review.objects.filter(product=product).aggregate(mean=_mean(), count=Count("id"))
    return Figures(found["mean"] or Decimal(0), found["count"])


def with_figures(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return rows of products that can be filtered and ordered by their figures, and have them as chosen."""
    return _WAYS[toggles.choice("rating")](rows)


def keep_stored(product: int, **_: object) -> None:
    """Store a product's figures again, where they are stored; a receiver of `review_written`."""
    if toggles.choice("rating") == "stored":
        rating, count = figures(product)
        rows = models.Product.objects.filter(pk=product)
        rows.update(stored_rating=rating, stored_review_count=count)


def _mean() -> Expression:
    return Round(Avg("rating", output_field=DecimalField(max_digits=3, decimal_places=2)), precision=2)


def _expressions() -> dict[str, Expression]:
    """Return both figures as subqueries over the reviews of a row."""
    reviews = models.Review.objects.filter(product=OuterRef("pk")).order_by().values("product")
    mean = Subquery(reviews.annotate(mean=_mean()).values("mean"))
    count = Subquery(reviews.annotate(count=Count("id")).values("count"))
    return {
        "rating": Coalesce(mean, Decimal(0), output_field=DecimalField(max_digits=3, decimal_places=2)),
        "review_count": Coalesce(count, 0, output_field=IntegerField()),
    }


_WAYS: dict[str, Callable[[QuerySet[Any]], QuerySet[Any]]] = {
    "computed": lambda rows: rows.alias(**_expressions()),
    "annotated": lambda rows: rows.annotate(**_expressions()),
    "stored": lambda rows: rows.alias(rating=F("stored_rating"), review_count=F("stored_review_count")),
}
