"""Orders, their lines, and their papers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class OrderStatus(models.TextChoices):
    """How far an order has come."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(models.Model):
    """What one customer bought at once."""

    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=OrderStatus.choices, default=OrderStatus.PLACED)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    placed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"order {self.pk}"


class OrderLine(models.Model):
    """A product within an order, at the price it then had."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey("catalogue.Product", on_delete=models.PROTECT, related_name="order_lines")
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["order", "product"], name="order_line_product_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_quantity_positive"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of product {self.product_id}"


class Invoice(models.Model):
    """The invoice of an order, as it was made: the column's own constraint lets an order have one only."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="invoice")
    number = models.CharField(max_length=20, unique=True)
    issued_on = models.DateField()
    document = models.BinaryField()
    """PDF."""

    def __str__(self) -> str:
        return f"invoice {self.number}"


class Confirmation(models.Model):
    """What is to be sent to the customer of an order, once."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="confirmation")
    recipient = models.EmailField()
    subject = models.CharField(max_length=120)
    text = models.TextField()

    def __str__(self) -> str:
        return self.subject
