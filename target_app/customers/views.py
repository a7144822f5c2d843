"""Endpoints of customers."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.access import StaffOnly
from core.lists import ToggledListView
from customers import selectors
from customers.models import Customer
from customers.serializers import CustomerSerializer


class CustomerList(StaffOnly, ToggledListView[Customer]):
    """All customers: for staff, where somebody logs in."""

    serializer_class = CustomerSerializer
    ordering_fields = ("id",)

    def get_queryset(self) -> QuerySet[Customer]:
        """Return all customers."""
        return selectors.customers()
