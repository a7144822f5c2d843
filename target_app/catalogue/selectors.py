"""Every query of the catalogue, with the ways to fetch that the toggle `orm` chooses from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.shortcuts import get_object_or_404

from catalogue.models import SEARCH_CONFIGURATION, Brand, Category, Product, Review
from catalogue.ratings import with_figures
from catalogue.rows import product_page_rows, product_rows, review_rows
from core import toggles

LATEST_REVIEWS = 5
_LISTED = (
    "id",
    "name",
    "slug",
    "price",
    "stock",
    "stored_rating",
    "stored_review_count",
    "created_at",
    "brand__name",
    "brand__slug",
    "category__name",
    "category__slug",
)
"""Columns that a product list shows; the long text is not among them."""
_REVIEWED = ("id", "product_id", "author__name", "rating", "title", "body", "is_verified", "created_at")
_RELEVANCE_STEPS = 1_000_000

Fetch = Callable[[QuerySet[Any]], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that a product's page shows."""

    product: Product
    """Or a row that has what is shown of one."""
    breadcrumb: list[Category]
    rating_histogram: dict[str, int]
    latest_reviews: list[Review]


def listed_products() -> QuerySet[Product]:
    """Return what is on sale, with brand, category and tags fetched as the toggle says."""
    return _PRODUCT_LISTS[toggles.choice("orm")](on_sale())


def product_page(product: int) -> Page:
    """Return what a product's page shows; raises `Http404` without such a product."""
    found = get_object_or_404(_PRODUCT_PAGES[toggles.choice("orm")](on_sale()), pk=product)
    return Page(
        product=found,
        breadcrumb=breadcrumb(found.category),
        rating_histogram=rating_histogram(product),
        latest_reviews=latest_reviews(product),
    )


def on_sale() -> QuerySet[Product]:
    """Return what is on sale, and nothing fetched beside it."""
    return with_figures(Product.objects.filter(is_active=True))


def search_products(words: str) -> QuerySet[Product]:
    """Return what matches `words`, found as the toggle `search` says; words after a minus must not occur."""
    found = SEARCHES[toggles.choice("search")](on_sale(), words)
    ordering = found.query.order_by
    return _PRODUCT_LISTS[toggles.choice("orm")](found).order_by(*ordering)


def reviews() -> QuerySet[Review]:
    """Return reviews, with their authors fetched as the toggle says."""
    return _REVIEW_LISTS[toggles.choice("orm")](Review.objects.all())


def latest_reviews(product: int) -> list[Review]:
    """Return a product's newest reviews."""
    return list(reviews().filter(product=product).order_by("-created_at", "-id")[:LATEST_REVIEWS])


def rating_histogram(product: int) -> dict[str, int]:
    """Return how many reviews gave 1, 2, ... 5 stars."""
    rows = Review.objects.filter(product=product).values_list("rating").annotate(Count("id"))
    counts = dict.fromkeys(range(1, 6), 0) | dict(rows)
    return {str(stars): count for stars, count in counts.items()}


def breadcrumb(category: Category) -> list[Category]:
    """Return the way from the root of the tree to `category`."""
    path = [category]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return path[::-1]


def categories() -> QuerySet[Category]:
    """Return the tree's nodes, parents before children."""
    return Category.objects.order_by("id")


def brands() -> QuerySet[Brand]:
    """Return all brands."""
    return Brand.objects.order_by("id")


def brand_id(slug: str) -> int:
    """Return the id of the brand `slug`; 0, which no brand has, when there is none."""
    return Brand.objects.filter(slug=slug).values_list("id", flat=True).first() or 0


def categories_within(slug: str) -> list[int]:
    """Return the ids of the category `slug` and of all below it; none when there is no such category."""
    within = Q(slug=slug) | Q(parent__slug=slug) | Q(parent__parent__slug=slug)  # the tree has three levels
    return list(Category.objects.filter(within).order_by("id").values_list("id", flat=True))


def categories_above(products: Iterable[int]) -> set[str]:
    """Return the slugs of the categories of products, and of all above them: one query."""
    ways = ("category__slug", "category__parent__slug", "category__parent__parent__slug")
    rows = Product.objects.filter(pk__in=products).values_list(*ways)
    return {slug for row in rows for slug in row if slug is not None}


def _by_full_text(rows: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Find word stems by the index, and rank what is found: best first."""
    query = SearchQuery(words, config=SEARCH_CONFIGURATION, search_type="websearch")
    rank = SearchRank(F("search_vector"), query)
    # In whole steps: a float does not survive the way through a cursor.
    relevance = Cast(rank * Value(_RELEVANCE_STEPS), IntegerField())
    found = rows.filter(search_vector=query).annotate(relevance=relevance)
    return found.order_by("-relevance", "-id")


def _by_letters(rows: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Look for each word's letters in every name and text: newest first, as there is no rank."""
    for word in words.split():
        letters = word.removeprefix("-")
        occurs = Q(name__icontains=letters) | Q(description__icontains=letters)
        rows = rows.exclude(occurs) if word.startswith("-") else rows.filter(occurs)
    return rows.order_by("-id")


SEARCHES: dict[str, Callable[[QuerySet[Product], str], QuerySet[Product]]] = {
    "icontains": _by_letters,
    "fulltext": _by_full_text,
}


def _as_it_comes(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Let every relation be fetched when a row asks for it: one query a row and relation."""
    return rows


_PRODUCT_LISTS: dict[str, Fetch] = {
    "naive": _as_it_comes,
    # Joins what is single; tags still cost a query a row, and the long text is read for nothing.
    "select_related": lambda rows: rows.select_related("brand", "category"),
    "prefetch": lambda rows: rows.select_related("brand", "category").prefetch_related("tags").only(*_LISTED),
    "values": product_rows,
}
_PRODUCT_PAGES: dict[str, Fetch] = {
    "naive": _as_it_comes,
    "select_related": lambda rows: rows.select_related("brand", "category__parent__parent"),
    "prefetch": lambda rows: rows.select_related("brand", "category__parent__parent").prefetch_related(
        "tags"
    ),
    "values": product_page_rows,
}
_REVIEW_LISTS: dict[str, Fetch] = {
    "naive": _as_it_comes,
    "select_related": lambda rows: rows.select_related("author"),
    # Both relations are single: there is nothing to prefetch beyond the join.
    "prefetch": lambda rows: rows.select_related("author").only(*_REVIEWED),
    "values": review_rows,
}
