"""How many rows each size has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of rows; tags of products and lines of orders follow from them."""

    departments: int
    groups: int
    """Categories below each department."""
    leaves: int
    """Categories below each group; products belong to these."""
    brands: int
    tags: int
    products: int
    customers: int
    orders: int
    reviews: int

    @property
    def leaf_count(self) -> int:
        """How many categories have products."""
        return self.departments * self.groups * self.leaves


SIZES = {
    "small": Size(8, 3, 3, 60, 60, 2_000, 2_000, 3_000, 20_000),
    "medium": Size(12, 4, 4, 400, 150, 50_000, 20_000, 60_000, 500_000),
    "large": Size(12, 6, 5, 1_000, 300, 200_000, 80_000, 240_000, 2_000_000),
}
