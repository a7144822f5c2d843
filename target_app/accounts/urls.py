"""Addresses of logins and accounts, below `/api/v1/`."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("account", views.AccountPage.as_view(), name="account"),
]
