"""Queries for customers."""

from __future__ import annotations

from django.db.models import QuerySet

from customers.models import Customer


def customers() -> QuerySet[Customer]:
    """Return all customers."""
    return Customer.objects.all()
