"""Addresses for staff, below `/staff/`."""

from django.urls import path

from background import views

urlpatterns = [path("tasks", views.Status.as_view(), name="task-status")]
