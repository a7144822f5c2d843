"""What staff see of the work in the background."""

from __future__ import annotations

from rest_framework.permissions import IsAdminUser
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import StaffAuthentication
from background import selectors


class Status(APIView):
    """Queue length, what runs, what failed, dead letters, times: as JSON, or as a page for browsers.

    Staff log in with name and password (HTTP Basic), whatever the toggle `auth` says.
    """

    authentication_classes = (StaffAuthentication,)
    permission_classes = (IsAdminUser,)
    renderer_classes = (JSONRenderer, TemplateHTMLRenderer)
    template_name = "background/status.html"
    schema = None

    def get(self, request: Request) -> Response:
        """Answer the status."""
        del request
        return Response(selectors.status())
