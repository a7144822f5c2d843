"""Endpoints of reports: for staff, where somebody logs in."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import StaffOnly
from core.waiting import not_yet
from exports.models import Export
from exports.serializers import ExportSerializer, NewExportSerializer, RequestedExportSerializer
from exports.services import request_export


class ExportList(StaffOnly, generics.GenericAPIView[Export]):
    """Where reports are asked for."""

    serializer_class = NewExportSerializer

    @extend_schema(responses={status.HTTP_202_ACCEPTED: RequestedExportSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a report of sales."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        export = request_export(wanted.validated_data["category"])
        return Response(RequestedExportSerializer(export).data, status=status.HTTP_202_ACCEPTED)


class ExportPage(StaffOnly, generics.RetrieveAPIView[Export]):
    """One report: is it made?"""

    serializer_class = ExportSerializer
    filter_backends = ()
    queryset = Export.objects.defer("content")


class ExportFile(StaffOnly, generics.GenericAPIView[Export]):
    """The file of a report."""

    serializer_class = ExportSerializer
    filter_backends = ()
    pagination_class = None
    queryset = Export.objects.all()

    @extend_schema(responses={(status.HTTP_200_OK, "text/csv"): str, status.HTTP_202_ACCEPTED: None})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Answer the file as CSV, or 202 while it is not made."""
        del request
        export = Export.objects.filter(pk=pk).only("content").first()
        if export is None:
            raise Http404
        if export.content is None:
            return not_yet()
        return HttpResponse(
            export.content,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="sales-{pk}.csv"'},
        )
