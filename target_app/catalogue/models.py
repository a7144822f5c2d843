"""Categories, brands, tags, products, reviews.

No index is declared here beyond what Django makes for keys and unique columns:
the toggle `indexes` adds the others to a variant's own database.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from catalogue.documents import SearchDocument
from core import toggles

if TYPE_CHECKING:
    from catalogue.ratings import Figures

SEARCH_CONFIGURATION = "english"


class Category(models.Model):
    """A node of the category tree; products belong to its leaves."""

    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=80)
    slug = models.CharField(max_length=100, unique=True)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """Who makes a product."""

    name = models.CharField(max_length=80)
    slug = models.CharField(max_length=100, unique=True)
    country = models.CharField(max_length=2)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A short label."""

    name = models.CharField(max_length=40)
    slug = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class ProductManager(models.Manager["Product"]):
    """Leaves the search document in the database: it is as long as the text, and only searched."""

    def get_queryset(self) -> models.QuerySet[Product]:
        """Return products without their search document."""
        return super().get_queryset().defer("search_vector")


class Product(models.Model):
    """Something on sale."""

    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products")
    tags = models.ManyToManyField(Tag, related_name="products")
    name = models.CharField(max_length=160)
    slug = models.CharField(max_length=180, unique=True)
    description = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField()
    is_active = models.BooleanField(default=True)
    stored_rating = models.DecimalField(max_digits=3, decimal_places=2, default=0, db_column="rating")
    """Mean of its reviews' ratings, kept where the toggle `rating` says so; 0 without reviews."""
    stored_review_count = models.PositiveIntegerField(default=0, db_column="review_count")
    created_at = models.DateTimeField()
    search_vector = SearchDocument(
        expression=SearchVector("name", weight="A", config=SEARCH_CONFIGURATION)
        + SearchVector("description", weight="B", config=SEARCH_CONFIGURATION),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ProductManager()

    class Meta:
        base_manager_name = "objects"
        indexes = (GinIndex(fields=["search_vector"], name="product_search"),)
        constraints = (
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(
                condition=Q(stored_rating__gte=0, stored_rating__lte=5), name="product_rating_range"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @cached_property
    def figures(self) -> Figures:
        """What its reviews come to: as stored, or by a query of its own."""
        from catalogue.ratings import Figures, figures  # noqa: PLC0415 - they are about this model

        if toggles.choice("rating") == "stored":
            return Figures(self.stored_rating, self.stored_review_count)
        return figures(self.pk)

    @cached_property
    def rating(self) -> Decimal:
        """Mean of its reviews' ratings; a query that annotates it sets it."""
        return self.figures.rating

    @cached_property
    def review_count(self) -> int:
        """Return how many reviews it has; as `rating`."""
        return self.figures.review_count

    @property
    def tag_names(self) -> list[str]:
        """Return the tags' names, sorted here: a database would need a query for it."""
        return sorted(tag.name for tag in self.tags.all())


class Review(models.Model):
    """What a customer thinks of a product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="reviews")
    rating = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    title = models.CharField(max_length=120)
    body = models.TextField()
    is_verified = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(rating__gte=1, rating__lte=5), name="review_rating_range"),
        )

    def __str__(self) -> str:
        return self.title
