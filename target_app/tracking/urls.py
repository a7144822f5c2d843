"""Addresses of order tracking, below `/api/v1/`."""

from django.urls import path

from tracking import views

urlpatterns = [path("orders/<int:pk>/status", views.OrderStatusPage.as_view(), name="order-status")]
