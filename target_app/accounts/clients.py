"""Programs that ask for a customer, by OAuth 2's client credentials (RFC 6749, section 4.4; `auth=oauth2`).

Each demonstration customer has a client of the same name and secret. A token stands for the
client, and the client for its customer; it may do what its scope says.
"""

from __future__ import annotations

from base64 import b64decode
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import AccessToken, Application, set_token_value
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import TokenView
from oauthlib.common import generate_token
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts import attempts
from core import toggles
from core.problems import tell

ACCOUNT, ORDERS = "account", "orders"
"""Scopes, as the settings declare them."""
SCOPE = f"{ACCOUNT} {ORDERS}"
"""What a token is good for unless a client asks for less."""


class ClientAuthentication(OAuth2Authentication):  # type: ignore[misc]  # its library has no types
    """A bearer token, looked up; the user is the client's owner."""

    www_authenticate_realm = "shop"

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """Return the owner and the token; None without a token that is good."""
        found = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        owner: User | None = user or token.application.user
        if owner is None or not owner.is_active:
            raise AuthenticationFailed("The client belongs to nobody who may ask.")
        return owner, token


def issue_token(user: User) -> str:
    """Return what the token endpoint would give a user's client; raises `PermissionDenied` without one."""
    client = Application.objects.filter(user=user).first()
    if client is None:
        raise PermissionDenied("No client belongs to this user.")
    lasts = timedelta(seconds=oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS)
    token: str = generate_token()
    issued = AccessToken(application=client, scope=SCOPE, expires=timezone.now() + lasts)
    set_token_value(issued, token)
    issued.save()
    return token


_endpoint = TokenView.as_view()


def token_endpoint(request: HttpRequest) -> HttpResponse:
    """Answer a client's id and secret with a token; 404 unless `auth=oauth2`, 429 to who guesses."""
    if toggles.choice("auth") != "oauth2":
        raise Http404
    name, address = f"client {_client(request)}", request.META.get("REMOTE_ADDR", "")
    try:
        attempts.check(name, address)
    except attempts.TooManyFailures as error:
        return tell(
            request, error.status_code, {"detail": str(error.detail)}, {"Retry-After": f"{error.wait_s}"}
        )
    answer: HttpResponse = _endpoint(request)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        attempts.count_failure(name, address)
    return answer


def _client(request: HttpRequest) -> str:
    """Return the id that a client says it has, in the header or in the body; empty where there is none."""
    kind, _, said = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return str(request.POST.get("client_id", ""))
    with suppress(ValueError):
        return b64decode(said).decode().partition(":")[0]
    return ""


token_endpoint.csrf_exempt = True  # type: ignore[attr-defined]  # clients are no browsers; the view inside says so too
