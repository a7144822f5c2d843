"""How a request tells whose it is (toggle `auth`).

`session` keeps the login in the database, `token` a word that stands for the user
there; a `jwt` says itself whose it is, and nobody is asked whether that still holds.
With `oauth2` a program asks, by a token that its id and secret are exchanged for.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import login
from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from accounts.clients import ClientAuthentication, issue_token


class CookieAuthentication(SessionAuthentication):
    """Django's session; who has none is told to log in (401), as with the others."""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge."""
        del request
        return 'Session realm="shop"'


AUTHENTICATIONS: dict[str, type[BaseAuthentication] | None] = {
    "none": None,
    "session": CookieAuthentication,
    "token": TokenAuthentication,
    "jwt": JWTStatelessUserAuthentication,
    "oauth2": ClientAuthentication,
}


def _session(request: Request, user: User) -> None:
    login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")


def _token(_request: Request, user: User) -> str:
    return f"Token {Token.objects.get_or_create(user=user)[0].key}"


def _jwt(_request: Request, user: User) -> str:
    return f"Bearer {AccessToken.for_user(user)}"


def _oauth2(_request: Request, user: User) -> str:
    return f"Bearer {issue_token(user)}"


CREDENTIALS: dict[str, Callable[[Request, User], str | None]] = {
    "none": lambda _request, _user: None,
    "session": _session,
    "token": _token,
    "jwt": _jwt,
    "oauth2": _oauth2,
}
"""Each gives the user what later requests show: the header `Authorization`, or nothing beyond a cookie."""
