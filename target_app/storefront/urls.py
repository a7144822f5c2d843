"""Addresses of the storefront."""

from django.urls import path

from storefront import views

urlpatterns = [
    path("shop", views.Home.as_view(), name="storefront"),
    path("shop/<slug:slug>", views.CategoryPage.as_view(), name="storefront-category"),
]
