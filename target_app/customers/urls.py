"""Addresses of customers, below `/api/v1/` and `/api/v2/`."""

from django.urls import path

from customers import views

urlpatterns = [path("customers", views.CustomerList.as_view(), name="customers")]
