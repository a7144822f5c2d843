"""Endpoints of logins and accounts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from oauth2_provider.contrib.rest_framework import TokenHasScope
from rest_framework import generics
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts import attempts
from accounts.authentication import AUTHENTICATIONS, CREDENTIALS
from accounts.clients import ACCOUNT
from accounts.selectors import account
from accounts.serializers import AccountSerializer, LoginSerializer
from core import toggles
from core.parameters import read_number


class Login(generics.GenericAPIView[Any]):
    """Where a name and a password are exchanged for what later requests show."""

    serializer_class = LoginSerializer

    def post(self, request: Request) -> Response:
        """Answer the header `Authorization` to send from now on; null where a cookie or nothing does."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        name, address = wanted.validated_data["username"], BaseThrottle().get_ident(request)
        attempts.check(name, address)
        user = authenticate(request._request, **wanted.validated_data)
        if user is None:
            attempts.count_failure(name, address)
            raise AuthenticationFailed("The name or the password is wrong.")
        return Response({"authorization": CREDENTIALS[toggles.choice("auth")](request, user)})


class AccountPage(generics.GenericAPIView[Any]):
    """A customer's own account; where nobody logs in, that of `?customer=ID`."""

    serializer_class = AccountSerializer
    filter_backends = ()
    pagination_class = None
    required_scopes = (ACCOUNT,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return what the toggle chooses."""
        chosen = AUTHENTICATIONS[toggles.choice("auth")]
        return [chosen()] if chosen else []

    def get_permissions(self) -> list[BasePermission]:
        """Let everyone in where nobody logs in, and programs as far as their token's scope goes."""
        chosen = toggles.choice("auth")
        if not AUTHENTICATIONS[chosen]:
            return []
        return [IsAuthenticated(), TokenHasScope()] if chosen == "oauth2" else [IsAuthenticated()]

    def get(self, request: Request) -> Response:
        """Answer the account."""
        asked = read_number(request, "customer", 0, least=0)
        if not AUTHENTICATIONS[toggles.choice("auth")]:
            return Response(AccountSerializer(account(pk=asked)).data)
        own = account(user_id=request.user.pk)
        if asked and asked != own.id:
            raise PermissionDenied("This is another customer's account.")
        return Response(AccountSerializer(own).data)
