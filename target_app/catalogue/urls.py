"""The catalogue's addresses, below `/api/v1/` and `/api/v2/`."""

from django.urls import path

from catalogue import views
from core.caching import cached_page

urlpatterns = [
    path("categories", views.CategoryTree.as_view(), name="categories"),
    path("brands", views.BrandList.as_view(), name="brands"),
    path("brands/<slug:slug>", views.BrandPage.as_view(), name="brand"),
    path("products", views.ProductList.as_view(), name="products"),
    path("products/<int:pk>", cached_page(views.ProductPage.as_view()), name="product"),
    path("products/<int:pk>/reviews", views.ProductReviews.as_view(), name="product-reviews"),
    path("reviews", views.ReviewList.as_view(), name="reviews"),
    path("search", views.Search.as_view(), name="search"),
]
