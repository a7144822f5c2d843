"""What changes the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from catalogue.models import Product, Review
from catalogue.pages import forget_pages
from catalogue.ratings import review_written
from core.locking import locked
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a customer writes of a product."""

    rating: int
    title: str
    body: str


class UnknownProductError(Exception):
    """A product that is not on sale."""


def write_review(product: int, author: Customer, opinion: Opinion) -> Review:
    """Write a review, and tell of it within the same transaction.

    The product is locked first, so that of two reviews at once the second counts the first.

    Raises:
        UnknownProductError: the product is not on sale.
    """
    with transaction.atomic():
        on_sale = locked(Product.objects.filter(pk=product, is_active=True))
        if not on_sale.values_list("pk").first():
            raise UnknownProductError(f"Not on sale: {product}.")
        review = Review.objects.create(
            product_id=product,
            author=author,
            rating=opinion.rating,
            title=opinion.title,
            body=opinion.body,
            is_verified=False,
            created_at=_today(),
        )
        review_written.send(sender=Review, product=product)
        forget_pages([product])
    return review


def _today() -> datetime:
    """Return the day, not the instant: two shops that are asked the same then show the same."""
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
