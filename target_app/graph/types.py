"""The graph's objects, over the rows of the catalogue. A list of objects always says how many at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from graphql import GraphQLError
from strawberry.django.context import StrawberryDjangoContext

from catalogue import models
from core.parameters import LONGEST_TEXT
from graph import selectors
from graph.fetching import Fetch, Some

MOST_ROWS = 100
"""Of one list."""
MOST_OFFSET = 2**31 - 1


@dataclass
class Context(StrawberryDjangoContext):
    """What the resolvers of one request share."""

    fetch: Fetch


Info = strawberry.Info[Context, None]
First = Annotated[int, strawberry.argument(description=f"How many at most, up to {MOST_ROWS}.")]


@strawberry.type
class Author:
    """Who wrote a review: no address."""

    id: int
    name: str
    country: str


@strawberry.type
class Review:
    """What a customer thinks of a product."""

    id: int
    rating: int
    title: str
    body: str
    is_verified: bool
    created_at: datetime

    @strawberry.field(graphql_type=Author)
    @staticmethod
    def author(parent: strawberry.Parent[models.Review], info: Info) -> Some:
        """Who wrote it."""
        return info.context.fetch.author(parent)


@strawberry.type
class Category:
    """A node of the category tree."""

    id: int
    name: str
    slug: str

    @strawberry.field(graphql_type="Category | None")
    @staticmethod
    def parent(parent: strawberry.Parent[models.Category], info: Info) -> Some:
        """The category above."""
        return info.context.fetch.parent(parent)


@strawberry.type
class Brand:
    """Who makes a product."""

    id: int
    name: str
    slug: str
    country: str

    @strawberry.field(graphql_type="list[Product]")
    @staticmethod
    def products(parent: strawberry.Parent[models.Brand], info: Info, first: First = 10) -> Some:
        """Its products on sale, the newest entries first."""
        return info.context.fetch.products(parent, checked(first))


@strawberry.type
class Product:
    """Something on sale."""

    id: int
    name: str
    slug: str
    description: str
    price: Decimal
    stock: int
    created_at: datetime

    @strawberry.field(graphql_type=Decimal)
    @staticmethod
    def rating(parent: strawberry.Parent[models.Product], info: Info) -> Some:
        """Mean of its reviews' ratings; 0 without reviews."""
        return info.context.fetch.figure(parent, "rating")

    @strawberry.field(graphql_type=int)
    @staticmethod
    def review_count(parent: strawberry.Parent[models.Product], info: Info) -> Some:
        """How many reviews it has."""
        return info.context.fetch.figure(parent, "review_count")

    @strawberry.field(graphql_type=Brand)
    @staticmethod
    def brand(parent: strawberry.Parent[models.Product], info: Info) -> Some:
        """Who makes it."""
        return info.context.fetch.brand(parent)

    @strawberry.field(graphql_type=Category)
    @staticmethod
    def category(parent: strawberry.Parent[models.Product], info: Info) -> Some:
        """Where it belongs."""
        return info.context.fetch.category(parent)

    @strawberry.field(graphql_type=list[str])
    @staticmethod
    def tags(parent: strawberry.Parent[models.Product], info: Info) -> Some:
        """The names of its tags, sorted."""
        return info.context.fetch.tags(parent)

    @strawberry.field(graphql_type=list[Review])
    @staticmethod
    def reviews(parent: strawberry.Parent[models.Product], info: Info, first: First = 5) -> Some:
        """Its newest reviews."""
        return info.context.fetch.reviews(parent, checked(first))


@strawberry.type
class Query:
    """Where every query starts."""

    @strawberry.field(graphql_type=list[Product])
    def products(self, info: Info, first: First = 20, offset: int = 0, category: str | None = None) -> Some:
        """What is on sale, the newest entries first; of a category's slug with all below it, or of all."""
        if not 0 <= offset <= MOST_OFFSET:
            raise GraphQLError(f"offset must be between 0 and {MOST_OFFSET}.")
        return info.context.fetch.rows(selectors.products, checked(first), offset, readable(category))

    @strawberry.field(graphql_type=Product | None)
    def product(self, info: Info, id: int) -> Some:  # noqa: A002 - the argument's name in the graph
        """One product; null where it is not on sale."""
        return info.context.fetch.rows(selectors.product, id)

    @strawberry.field(graphql_type=list[Brand])
    def brands(self, info: Info, first: First = 20) -> Some:
        """Brands, the first ones first."""
        return info.context.fetch.rows(selectors.brands, checked(first))


def readable(slug: str | None) -> str | None:
    """Return a slug; raises `GraphQLError` for what no row can hold: NUL, or half of a character."""
    if slug is not None and (len(slug) > LONGEST_TEXT or "\0" in slug or not slug.isprintable()):
        raise GraphQLError("category must be a category's slug.")
    return slug


def checked(first: int) -> int:
    """Return `first`; raises `GraphQLError` where no list is so long."""
    if not 1 <= first <= MOST_ROWS:
        raise GraphQLError(f"first must be between 1 and {MOST_ROWS}.")
    return first
