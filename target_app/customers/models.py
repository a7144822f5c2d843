"""Customers."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Customer(models.Model):
    """Someone who buys and reviews."""

    name = models.CharField(max_length=120)
    email = models.EmailField(unique=True)
    country = models.CharField(max_length=2)
    joined_at = models.DateTimeField()
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="customer"
    )
    """Its login, for those who have one."""

    def __str__(self) -> str:
        return self.name
