"""All addresses."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench.account import account
from goods.views import ProductList, ProductPage


def health(_request: HttpRequest) -> JsonResponse:
    """Answer once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def truth(_request: HttpRequest) -> JsonResponse:
    """Answer the sums of this process's account so far."""
    return JsonResponse(account().sums())


urlpatterns = [
    path("health", health),
    path("truth", truth),
    path("products", ProductList.as_view()),
    path("products/<int:pk>", ProductPage.as_view()),
]
