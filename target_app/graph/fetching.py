"""How the graph fetches what its objects ask for (toggle `graphql`): each by itself, or a level at once.

A resolver knows one object and nothing of its neighbours. `Naive` queries for that
object; `Loaders` promise an answer, collect what was asked for until nobody can go
on, and fetch all of it in one query. See the DataLoader pattern,
https://github.com/graphql/dataloader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from strawberry.dataloader import DataLoader

from catalogue.models import Brand, Category, Product, Review
from catalogue.selectors import on_sale
from core import toggles
from customers.models import Customer
from graph import selectors

Some = Any
"""A value, or an awaitable of it."""


class Fetch(Protocol):
    """What resolvers ask for."""

    def rows(self, query: Callable[..., Any], *words: object) -> Some:
        """Return what a selector returns."""

    def brand(self, product: Product) -> Some:
        """Return who makes a product."""

    def category(self, product: Product) -> Some:
        """Return where a product belongs."""

    def parent(self, category: Category) -> Some:
        """Return the category above; None at the tree's root."""

    def tags(self, product: Product) -> Some:
        """Return the names of a product's tags, sorted."""

    def figure(self, product: Product, name: str) -> Some:
        """Return `rating` or `review_count`, from where the toggle `rating` says."""

    def reviews(self, product: Product, first: int) -> Some:
        """Return a product's newest reviews."""

    def author(self, review: Review) -> Some:
        """Return who wrote a review."""

    def products(self, brand: Brand, first: int) -> Some:
        """Return a brand's products on sale, the newest entries first."""


class Naive:
    """Asks the database whenever an object is asked for something."""

    def rows(self, query: Callable[..., Any], *words: object) -> Some:
        """Return what a selector returns."""
        return query(*words)

    def brand(self, product: Product) -> Some:
        """Query for the brand."""
        return product.brand

    def category(self, product: Product) -> Some:
        """Query for the category."""
        return product.category

    def parent(self, category: Category) -> Some:
        """Query for the category above."""
        return category.parent

    def tags(self, product: Product) -> Some:
        """Query for the tags."""
        return product.tag_names

    def figure(self, product: Product, name: str) -> Some:
        """Return what the row has, or query for it."""
        return getattr(product, name)

    def reviews(self, product: Product, first: int) -> Some:
        """Query for the reviews."""
        return list(product.reviews.order_by("-created_at", "-id")[:first])

    def author(self, review: Review) -> Some:
        """Query for the author."""
        return review.author

    def products(self, brand: Brand, first: int) -> Some:
        """Query for the products."""
        return list(on_sale().filter(brand=brand).order_by("-id")[:first])


class Loaders:
    """Promises answers, and fetches them together; lives for one request, as what it keeps gets old."""

    def __init__(self) -> None:
        self._brand = _loader(lambda keys: selectors.by_key(Brand, keys))
        self._category = _loader(lambda keys: selectors.by_key(Category, keys))
        self._author = _loader(lambda keys: selectors.by_key(Customer, keys))
        self._tags = _loader(selectors.tag_names, list)
        self._lists: dict[tuple[str, int], DataLoader[int, Any]] = {}

    def rows(self, query: Callable[..., Any], *words: object) -> Some:
        """Query beside the event loop."""
        return sync_to_async(query)(*words)

    def brand(self, product: Product) -> Some:
        """Promise the brand."""
        return self._brand.load(product.brand_id)

    def category(self, product: Product) -> Some:
        """Promise the category."""
        return self._category.load(product.category_id)

    def parent(self, category: Category) -> Some:
        """Promise the category above."""
        return None if category.parent_id is None else self._category.load(category.parent_id)

    def tags(self, product: Product) -> Some:
        """Promise the tags."""
        return self._tags.load(product.pk)

    def figure(self, product: Product, name: str) -> Some:
        """Return what the row has; where figures are computed, a query a row is what the toggle says."""
        if toggles.choice("rating") == "computed":
            return sync_to_async(getattr)(product, name)
        return getattr(product, name)

    def reviews(self, product: Product, first: int) -> Some:
        """Promise the reviews, with all others of which as many were asked for."""
        return self._list("reviews", first, selectors.reviews_of).load(product.pk)

    def author(self, review: Review) -> Some:
        """Promise the author."""
        return self._author.load(review.author_id)

    def products(self, brand: Brand, first: int) -> Some:
        """Promise the products; as `reviews`."""
        return self._list("products", first, selectors.products_of).load(brand.pk)

    def _list(
        self, name: str, first: int, query: Callable[[Sequence[int], int], Mapping[int, Any]]
    ) -> DataLoader[int, Any]:
        if (name, first) not in self._lists:
            self._lists[name, first] = _loader(lambda keys: query(keys, first), list)
        return self._lists[name, first]


def _loader(
    query: Callable[[Sequence[int]], Mapping[int, Any]], missing: Callable[[], Any] = lambda: None
) -> DataLoader[int, Any]:
    """Return a loader over a query that answers many keys at once."""

    async def load(keys: list[int]) -> list[Any]:
        found = await sync_to_async(query)(keys)
        return [found[key] if key in found else missing() for key in keys]

    return DataLoader(load_fn=load)


FETCHES: dict[str, type[Naive | Loaders]] = {"naive": Naive, "dataloader": Loaders}
