"""Programs that ask for a customer, by OAuth 2's client credentials (RFC 6749, section 4.4; `auth=oauth2`).

Each demonstration customer has a client of the same name and secret. A token stands for the
client, and the client for its customer; it may do what its scope says.
"""

from __future__ import annotations

from datetime import timedelta

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

from core import toggles

SCOPE = "account"


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
    """Answer a client's id and secret with a token, where `auth=oauth2`; 404 otherwise."""
    if toggles.choice("auth") != "oauth2":
        raise Http404
    answer: HttpResponse = _endpoint(request)
    return answer


token_endpoint.csrf_exempt = True  # type: ignore[attr-defined]  # clients are no browsers; the view inside says so too
