"""The rows of a shop, table by table, drawn from private streams of a seed.

Popularity is Zipf-like: the product of rank r gets reviews and sales in
proportion to 1/(r + 10)^0.9, and categories and brands get products in proportion
to 1/(r + 1)^0.9. Each table has a random stream of its own, so that a
change to one leaves the others as they are.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from seeding import words
from seeding.instants import SPAN_S, instant
from seeding.sizes import Size

ZIPF_EXPONENT = 0.9
FEW, MANY = 1, 10
"""Shifts of the rank: how much the first of a few, or of many, stands out."""
REVIEW_TEXTS = 3_000
QUALITIES = (
    # Ratings that products of one quality get, out of a hundred: 1, 2, ... 5 stars.
    (30, 25, 20, 15, 10),
    (10, 15, 25, 30, 20),
    (5, 8, 17, 35, 35),
    (2, 3, 10, 30, 55),
)
STATUSES = ("shipped",) * 14 + ("paid",) * 3 + ("placed",) * 2 + ("cancelled",)
LINE_COUNTS = (1, 1, 1, 1, 2, 2, 2, 3, 3, 5)
TAG_COUNTS = (0, 1, 1, 2, 2, 2, 3, 3, 4, 6)
SOLD_OUT_SHARE, INACTIVE_SHARE, VERIFIED_SHARE = 0.05, 0.03, 0.7


class Population:
    """All rows of one size and seed; ids are 1, 2, 3, ... in every table."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.seed = seed

    def stream(self, purpose: str) -> random.Random:
        """Return the random stream of one purpose."""
        return random.Random(f"{self.seed}:{purpose}")  # noqa: S311 - demonstration data, not secrets

    def categories(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, parent, name, slug): departments, then groups, then leaves."""
        size, number = self.size, 0
        parents: list[tuple[int | None, str]] = [(None, "")]
        for names, width in (
            (words.DEPARTMENTS, size.departments),
            (words.GROUPS, size.groups),
            (words.LEAVES, size.leaves),
        ):
            level: list[tuple[int | None, str]] = []
            for parent, above in parents:
                for name in names[:width]:
                    number += 1
                    slug = f"{above}-{_slug(name)}".lstrip("-")
                    level.append((number, slug))
                    yield number, parent, name, slug
            parents = level

    def brands(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, name, slug, country)."""
        rng = self.stream("brands")
        for number in range(1, self.size.brands + 1):
            name = rng.choice(words.BRAND_STARTS) + rng.choice(words.BRAND_ENDS)
            yield number, name, f"{name.lower()}-{number}", rng.choice(words.COUNTRIES)

    def tags(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, name, slug)."""
        for number in range(1, self.size.tags + 1):
            name = words.TAGS[(number - 1) % len(words.TAGS)]
            name = name if number <= len(words.TAGS) else f"{name} {(number - 1) // len(words.TAGS) + 1}"
            yield number, name, _slug(name)

    def customers(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, name, email, country, joined_at)."""
        rng = self.stream("customers")
        for number in range(1, self.size.customers + 1):
            first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
            email = f"{first}.{last}.{number}@example.org".lower()
            yield (
                number,
                f"{first} {last}",
                email,
                rng.choice(words.COUNTRIES),
                instant(rng.randrange(SPAN_S)),
            )

    def products(self) -> Iterator[tuple[object, ...]]:
        """Yield id, category, brand, name, slug, description, price, stock, is_active, rating,
        review_count, created_at.
        """  # noqa: D205 - a row's columns
        size, rng = self.size, self.stream("products")
        first_leaf = size.departments * (1 + size.groups) + 1
        categories = _zipf_draws(rng, size.leaf_count, size.products, FEW)
        brands = _zipf_draws(rng, size.brands, size.products, FEW)
        texts = words.descriptions(rng, size.products)
        for index in range(size.products):
            number = index + 1
            name = f"{rng.choice(words.ADJECTIVES)} {rng.choice(words.MATERIALS)} {rng.choice(words.NOUNS)}"
            stock = 0 if rng.random() < SOLD_OUT_SHARE else 200 + int(rng.lognormvariate(6.0, 1.0))
            reviews = self.review_counts[index]
            # in hundredths, halves up, as PostgreSQL rounds a mean
            hundredths = (200 * self.rating_sums[index] + reviews) // (2 * reviews) if reviews else 0
            yield (
                number,
                first_leaf + categories[index],
                brands[index] + 1,
                name,
                f"{_slug(name)}-{number}",
                texts[index],
                _money(self.prices[index]),
                stock,
                "f" if rng.random() < INACTIVE_SHARE else "t",
                _money(hundredths),
                reviews,
                instant(rng.randrange(SPAN_S)),
            )

    def product_tags(self) -> Iterator[tuple[object, ...]]:
        """Yield (product, tag)."""
        rng, most = self.stream("product tags"), self.size.tags
        for number in range(1, self.size.products + 1):
            drawn = {int(most * rng.random() ** 2) + 1 for _ in range(rng.choice(TAG_COUNTS))}
            for tag in sorted(drawn):
                yield number, tag

    def reviews(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, product, author, rating, title, body, is_verified, created_at), oldest first."""
        rng, total = self.stream("reviews"), self.size.reviews
        draw, customers = rng.random, self.size.customers
        texts = words.review_texts(rng, REVIEW_TEXTS)
        products, ratings = self.reviewed, self.ratings
        for index in range(total):
            title, body = texts[int(draw() * REVIEW_TEXTS)]
            author = int(customers * draw() ** 2) + 1
            verified = "t" if draw() < VERIFIED_SHARE else "f"
            second = int((index + draw()) / total * SPAN_S)
            yield (
                index + 1,
                products[index] + 1,
                author,
                ratings[index],
                title,
                body,
                verified,
                instant(second),
            )

    def orders(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, customer, status, total, placed_at), oldest first."""
        rng, total = self.stream("orders"), self.size.orders
        for index in range(total):
            cents = sum(self.prices[product] * quantity for product, quantity in self.baskets[index])
            customer = int(self.size.customers * rng.random() ** 2) + 1
            second = int((index + rng.random()) / total * SPAN_S)
            yield index + 1, customer, rng.choice(STATUSES), _money(cents), instant(second)

    def order_lines(self) -> Iterator[tuple[object, ...]]:
        """Yield (id, order, product, quantity, unit_price)."""
        number = 0
        for index, basket in enumerate(self.baskets):
            for product, quantity in basket:
                number += 1
                yield number, index + 1, product + 1, quantity, _money(self.prices[product])

    @cached_property
    def prices(self) -> array[int]:
        """Price of each product, in cents."""
        rng = self.stream("prices")
        return array("l", (100 + int(rng.lognormvariate(8.0, 1.1)) for _ in range(self.size.products)))

    @cached_property
    def ranking(self) -> list[int]:
        """Products, from 0, the most popular first."""
        order = list(range(self.size.products))
        self.stream("ranking").shuffle(order)
        return order

    @cached_property
    def reviewed(self) -> array[int]:
        """Product of each review, from 0."""
        draws = _zipf_draws(self.stream("reviewed"), self.size.products, self.size.reviews, MANY)
        ranking = self.ranking
        return array("l", (ranking[rank] for rank in draws))

    @cached_property
    def ratings(self) -> array[int]:
        """Stars of each review."""
        draw = self.stream("ratings").random
        wheels = [
            [stars for stars, share in enumerate(shares, 1) for _ in range(share)] for shares in QUALITIES
        ]
        return array("b", (wheels[product % len(wheels)][int(draw() * 100)] for product in self.reviewed))

    @cached_property
    def review_counts(self) -> array[int]:
        """Number of reviews of each product."""
        counts = array("l", bytes(8 * self.size.products))
        for product in self.reviewed:
            counts[product] += 1
        return counts

    @cached_property
    def rating_sums(self) -> array[int]:
        """Sum of the stars of each product."""
        sums = array("l", bytes(8 * self.size.products))
        for product, stars in zip(self.reviewed, self.ratings, strict=True):
            sums[product] += stars
        return sums

    @cached_property
    def baskets(self) -> list[list[tuple[int, int]]]:
        """Of each order: products, from 0, and quantities."""
        rng = self.stream("baskets")
        counts = [rng.choice(LINE_COUNTS) for _ in range(self.size.orders)]
        draws = iter(_zipf_draws(rng, self.size.products, sum(counts), MANY))
        return [
            [(product, 1 + int(3 * rng.random() ** 3)) for product in sorted(basket)]
            for basket in ({self.ranking[next(draws)] for _ in range(count)} for count in counts)
        ]


def _zipf_draws(rng: random.Random, kinds: int, count: int, shift: int) -> list[int]:
    """Draw `count` ranks below `kinds`, rank r in proportion to 1/(r + shift)^0.9."""
    weights = accumulate((rank + shift) ** -ZIPF_EXPONENT for rank in range(kinds))
    return rng.choices(range(kinds), cum_weights=list(weights), k=count)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
