"""Addresses of orders and sales, below `/api/v1/` and `/api/v2/`."""

from django.urls import path

from core.caching import cached_page
from orders import views

urlpatterns = [
    path("best-sellers", cached_page(views.BestSellers.as_view()), name="best-sellers"),
    path("orders", views.OrderList.as_view(), name="orders"),
    path("orders/<int:pk>", views.OrderPage.as_view(), name="order"),
    path("orders/<int:pk>/confirmation", views.ConfirmationPage.as_view(), name="confirmation"),
    path("orders/<int:pk>/invoice", views.InvoiceFile.as_view(), name="invoice"),
]
