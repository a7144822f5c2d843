"""The catalogue's endpoints."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.access import Owned, demand_own
from catalogue import selectors, services
from catalogue.filters import ProductFilters, ReviewFilters
from catalogue.models import Brand, Category, Product, Review
from catalogue.pages import product_page
from catalogue.presenting import PRODUCTS, REVIEWS
from catalogue.serializers import (
    BrandSerializer,
    CategoryNodeSerializer,
    NewReviewSerializer,
    ProductPageSerializer,
    ProductSerializer,
    ReviewSerializer,
)
from core.lists import ToggledListView
from core.parameters import read_text


class ProductList(ToggledListView[Product]):
    """What is on sale."""

    serializer_class = ProductSerializer
    serializers = PRODUCTS
    filterset_class = ProductFilters
    ordering_fields = ("price", "rating", "review_count", "created_at", "id")

    def get_queryset(self) -> QuerySet[Product]:
        """Return what is on sale."""
        return selectors.listed_products()


class ProductPage(generics.GenericAPIView[Product]):
    """One product, with everything its page shows."""

    serializer_class = ProductPageSerializer
    filter_backends = ()
    pagination_class = None

    def get(self, request: Request, pk: int) -> Response:
        """Answer the page."""
        del request
        return Response(product_page(pk))


class ProductReviews(Owned, ToggledListView[Review]):
    """A product's reviews, newest first; and where they are written."""

    serializer_class = ReviewSerializer
    serializers = REVIEWS
    filterset_class = ReviewFilters
    ordering_fields = ("created_at", "rating")
    default_ordering = "-created_at"
    queryset = Review.objects.none()  # for the API's description

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Ask who it is where a review is written alone."""
        return super().get_authenticators() if self._is_writing() else []

    def get_permissions(self) -> list[Any]:
        """Let everyone read."""
        return super().get_permissions() if self._is_writing() else []

    def _is_writing(self) -> bool:
        asked = getattr(self, "request", None)  # None while the API is described as a whole
        return asked is not None and asked.method == "POST"

    def get_queryset(self) -> QuerySet[Review]:
        """Return the reviews of the product in the URL; raises `Http404` without such a product."""
        product = get_object_or_404(Product.objects.filter(is_active=True).only("id"), pk=self.kwargs["pk"])
        return selectors.reviews().filter(product=product)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return what reads a review, or writes a list of them."""
        return NewReviewSerializer if self.request.method == "POST" else super().get_serializer_class()

    def post(self, request: Request, pk: int) -> Response:
        """Write a review."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        demand_own(request, wanted.validated_data["author"])
        author, *opinion = (wanted.validated_data[name] for name in ("author", "rating", "title", "body"))
        try:
            review = services.write_review(pk, author, services.Opinion(*opinion))
        except services.UnknownProductError as error:
            raise NotFound(str(error)) from error
        return Response(ReviewSerializer(review).data, status=status.HTTP_201_CREATED)


class ReviewList(ToggledListView[Review]):
    """All reviews, the last one written first."""

    serializer_class = ReviewSerializer
    serializers = REVIEWS
    filterset_class = ReviewFilters
    ordering_fields = ("id",)
    default_ordering = "-id"

    def get_queryset(self) -> QuerySet[Review]:
        """Return all reviews."""
        return selectors.reviews()


class Search(ToggledListView[Product]):
    """`?q=words`: products whose name or text has them, best first."""

    serializer_class = ProductSerializer
    serializers = PRODUCTS
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Product]:
        """Return what matches; nothing without words."""
        words = read_text(self.request, "q")
        return selectors.search_products(words) if words else Product.objects.none().order_by("-id")


class CategoryTree(generics.ListAPIView[Category]):
    """All categories, parents before children."""

    serializer_class = CategoryNodeSerializer
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Category]:
        """Return all categories."""
        return selectors.categories()


class BrandList(generics.ListAPIView[Brand]):
    """All brands."""

    serializer_class = BrandSerializer
    filter_backends = ()
    pagination_class = None

    def get_queryset(self) -> QuerySet[Brand]:
        """Return all brands."""
        return selectors.brands()


class BrandPage(generics.RetrieveAPIView[Brand]):
    """One brand."""

    serializer_class = BrandSerializer
    filter_backends = ()
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Brand]:
        """Return all brands."""
        return selectors.brands()
