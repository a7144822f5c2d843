"""The goods' JSON."""

from rest_framework import serializers

from goods.models import Mark, Product, Shelf


class ShelfSerializer(serializers.ModelSerializer[Shelf]):
    """A shelf."""

    class Meta:
        model = Shelf
        fields = ("id", "name", "aisle")


class MarkSerializer(serializers.ModelSerializer[Mark]):
    """A mark."""

    class Meta:
        model = Mark
        fields = ("id", "name", "colour")


class ProductPageSerializer(serializers.ModelSerializer[Product]):
    """A product with its shelf."""

    shelf = ShelfSerializer(read_only=True)

    class Meta:
        model = Product
        fields: tuple[str, ...] = ("id", "name", "text", "price", "weight_g", "stock", "added_at", "shelf")


class ProductSerializer(ProductPageSerializer):
    """A product as lists show it, with its marks."""

    marks = MarkSerializer(many=True, read_only=True)

    class Meta(ProductPageSerializer.Meta):
        fields = (*ProductPageSerializer.Meta.fields, "marks")
