"""Queries for the storefront."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalogue import selectors as catalogue
from catalogue.models import Product

SHOWN = 24


@dataclass(slots=True)
class Node:
    """A category with those below it."""

    name: str
    slug: str
    children: list[Node] = field(default_factory=list)


def departments() -> list[Node]:
    """Return the tree of categories: one query."""
    nodes: dict[int, Node] = {}
    roots: list[Node] = []
    for key, parent, name, slug in catalogue.categories().values_list("id", "parent_id", "name", "slug"):
        nodes[key] = Node(name, slug)
        siblings = roots if parent is None else nodes[parent].children  # parents come first
        siblings.append(nodes[key])
    return roots


def newest_products(category: str) -> list[Product]:
    """Return what is sold in the category `category` and below it, newest first, as many as a page shows."""
    within = catalogue.categories_within(category)
    rows = catalogue.listed_products().filter(category__in=within)
    return list(rows.order_by("-created_at", "-id")[:SHOWN])
