"""Two endpoints: a page of a list, and a product."""

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.exceptions import ValidationError

from goods.models import Product
from goods.serializers import ProductPageSerializer, ProductSerializer

PER_PAGE = 14


class ProductList(generics.ListAPIView[Product]):
    """`?shelf=1&page=0`: a page of a shelf, in the shelf's order."""

    serializer_class = ProductSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Product]:
        """Return the page; raises `ValidationError` for what is no number."""
        given = self.request.query_params
        try:
            shelf, page = int(given.get("shelf", "1")), int(given.get("page", "0"))
        except ValueError as error:
            raise ValidationError({"page": "shelf and page are whole numbers"}) from error
        start = max(page, 0) * PER_PAGE
        listed = Product.objects.select_related("shelf").prefetch_related("marks")
        return listed.filter(shelf=shelf).order_by("rank")[start : start + PER_PAGE]


class ProductPage(generics.RetrieveAPIView[Product]):
    """One product, in one query."""

    serializer_class = ProductPageSerializer

    def get_queryset(self) -> QuerySet[Product]:
        """Return all products."""
        return Product.objects.select_related("shelf")
