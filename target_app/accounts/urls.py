"""Addresses of logins and accounts, below `/api/v1/` and `/api/v2/`."""

from django.urls import path

from accounts import clients, views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("oauth/token", clients.token_endpoint, name="oauth-token"),
    path("account", views.AccountPage.as_view(), name="account"),
]
