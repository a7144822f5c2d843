"""Who may see and do what, where somebody logs in at all (toggle `auth`).

Without logins (`auth=none`) this is a shop to measure: whoever asks is served. With
them a customer has what is its own, a program what its scope says of its owner's, and
staff what they need for their work. Staff come by name and password (HTTP Basic),
whatever the toggle says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from oauth2_provider.contrib.rest_framework import TokenHasScope
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import attempts
from accounts.authentication import AUTHENTICATIONS
from accounts.clients import ORDERS
from core import toggles
from customers.models import Customer

if TYPE_CHECKING:  # what these are mixed into; at run time each view names it
    from rest_framework.views import APIView as View
else:
    View = object


class StaffAuthentication(BasicAuthentication):
    """Name and password of staff; guesses are counted as those of logins are."""

    www_authenticate_realm = "staff"

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[User, None]:
        """Return who it is; raises `PermissionDenied` for others than staff, `Throttled` for who guesses."""
        address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # the request is always given
        attempts.check(userid, address)
        try:
            user, _ = super().authenticate_credentials(userid, password, request)
        except AuthenticationFailed:
            attempts.count_failure(userid, address)
            raise
        if not (isinstance(user, User) and user.is_staff):
            raise PermissionDenied("Staff alone come by name and password.")
        return user, None


class WithinScope(TokenHasScope):  # type: ignore[misc]  # its library has no types
    """Lets programs in as far as their token's scope goes, and staff."""

    def has_permission(self, request: Request, view: View) -> bool:
        """Tell whether the request is within it."""
        return is_staffs(request) or bool(super().has_permission(request, view))


class Owned(View):
    """A view of what belongs to customers: mixed in before one of REST framework's."""

    required_scopes: tuple[str, ...] = (ORDERS,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return what the toggle chooses, and staff's own."""
        chosen = AUTHENTICATIONS[toggles.choice("auth")]
        return [chosen(), StaffAuthentication()] if chosen else []

    def get_permissions(self) -> list[Any]:
        """Let everyone in where nobody logs in."""
        if not is_guarded():
            return []
        oauth2 = toggles.choice("auth") == "oauth2"
        return [IsAuthenticated(), WithinScope()] if oauth2 else [IsAuthenticated()]


class StaffOnly(View):
    """A view for staff alone, where somebody logs in: mixed in likewise."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return how staff show who they are."""
        return [StaffAuthentication()] if is_guarded() else []

    def get_permissions(self) -> list[BasePermission]:
        """Let everyone in where nobody logs in."""
        return [IsAuthenticated()] if is_guarded() else []


def is_guarded() -> bool:
    """Tell whether anybody logs in."""
    return AUTHENTICATIONS[toggles.choice("auth")] is not None


def is_staffs(request: Request) -> bool:
    """Tell whether staff ask."""
    return isinstance(request.successful_authenticator, StaffAuthentication)


def demand_own(request: Request, customer: Customer) -> None:
    """Raise `PermissionDenied` where a request names a customer other than the one that asks."""
    if is_guarded() and not is_staffs(request) and str(customer.user_id) != str(request.user.pk):
        raise PermissionDenied("This is another customer.")


def demand_staff(request: Request) -> None:
    """Raise `PermissionDenied` where others than staff ask."""
    if is_guarded() and not is_staffs(request):
        raise PermissionDenied("This is for staff.")
