"""Logins of the first customers and of staff, and clients: names and one password that scenarios know."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from oauth2_provider.models import AbstractApplication, Application

from customers.models import Customer

ACCOUNTS = 20
STAFF = "staff"
PASSWORD = "shop-demo"  # noqa: S105 - demonstration data, open to everyone
SALT = "demonstration"
"""A hash takes a while on purpose: one is made for all."""


def open_accounts() -> None:
    """Give the first customers a login and a client each, `customer-1` and so on, and staff a login."""
    password = make_password(PASSWORD, salt=SALT)
    customers = list(Customer.objects.order_by("id")[:ACCOUNTS])
    with transaction.atomic():
        User.objects.filter(username__startswith="customer-").delete()
        User.objects.update_or_create(username=STAFF, defaults={"password": password, "is_staff": True})
        for customer in customers:
            name = f"customer-{customer.pk}"
            customer.user = User.objects.create(
                username=name, password=password, date_joined=customer.joined_at
            )
        Customer.objects.bulk_update(customers, ["user"])
        Application.objects.bulk_create(
            Application(
                user=customer.user,
                name=f"{customer.name}'s program",
                client_id=f"customer-{customer.pk}",
                client_secret=password,
                client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
                authorization_grant_type=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
            )
            for customer in customers
        )
