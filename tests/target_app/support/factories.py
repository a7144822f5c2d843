"""Rows for tests that need particular ones."""

from datetime import UTC, datetime
from decimal import Decimal

import factory
from catalogue.models import Brand, Category, Product, Review
from customers.models import Customer

DAY = datetime(2024, 5, 1, tzinfo=UTC)


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer."""

    class Meta:  # noqa: D106 - what each factory makes
        model = Customer

    name = "Ada Adler"
    email = factory.Sequence("ada.{}@example.com".format)
    country = "DE"
    joined_at = DAY


class CategoryFactory(factory.django.DjangoModelFactory):
    """A category at the top of the tree."""

    class Meta:  # noqa: D106 - what each factory makes
        model = Category

    name = "Lamps"
    slug = factory.Sequence("made-lamps-{}".format)


class BrandFactory(factory.django.DjangoModelFactory):
    """A brand."""

    class Meta:  # noqa: D106 - what each factory makes
        model = Brand

    name = "Norwick"
    slug = factory.Sequence("made-norwick-{}".format)
    country = "NO"


class ProductFactory(factory.django.DjangoModelFactory):
    """A product in stock, in a category and of a brand of its own."""

    class Meta:  # noqa: D106 - what each factory makes
        model = Product

    category = factory.SubFactory(CategoryFactory)
    brand = factory.SubFactory(BrandFactory)
    name = "Quiet Lamp"
    slug = factory.Sequence("made-quiet-lamp-{}".format)
    description = "It shines."
    price = Decimal("12.50")
    stock = 10
    created_at = DAY


class ReviewFactory(factory.django.DjangoModelFactory):
    """A review by a customer of its own, of a product of its own."""

    class Meta:  # noqa: D106 - what each factory makes
        model = Review

    product = factory.SubFactory(ProductFactory)
    author = factory.SubFactory(CustomerFactory)
    rating = 4
    title = "Good"
    body = "Bright enough."
    is_verified = True
    created_at = DAY
