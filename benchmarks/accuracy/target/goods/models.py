"""Products, the shelves they stand on, the marks they bear."""

from django.db import models


class Shelf(models.Model):
    """Where products stand."""

    name = models.CharField(max_length=60)
    aisle = models.IntegerField()

    def __str__(self) -> str:
        return self.name


class Mark(models.Model):
    """Something said of products, such as a label."""

    name = models.CharField(max_length=60)
    colour = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something for sale."""

    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT, related_name="products", db_index=False)
    rank = models.IntegerField()
    name = models.CharField(max_length=120)
    text = models.TextField()
    price = models.DecimalField(max_digits=9, decimal_places=2)
    weight_g = models.IntegerField()
    stock = models.IntegerField()
    added_at = models.DateTimeField()
    marks = models.ManyToManyField(Mark)

    class Meta:
        indexes = (models.Index(fields=("shelf", "rank"), name="goods_by_shelf"),)

    def __str__(self) -> str:
        return self.name
