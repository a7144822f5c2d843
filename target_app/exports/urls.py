"""Addresses of reports, below `/api/v1/`."""

from django.urls import path

from exports import views

urlpatterns = [
    path("exports", views.ExportList.as_view(), name="exports"),
    path("exports/<int:pk>", views.ExportPage.as_view(), name="export"),
    path("exports/<int:pk>/file", views.ExportFile.as_view(), name="export-file"),
]
