"""Customers."""

from __future__ import annotations

from django.db import models


class Customer(models.Model):
    """Someone who buys and reviews."""

    name = models.CharField(max_length=120)
    email = models.EmailField(unique=True)
    country = models.CharField(max_length=2)
    joined_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
