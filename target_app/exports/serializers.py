"""JSON of reports."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from exports.models import Export


class NewExportSerializer(serializers.Serializer[Any]):
    """What a client sends to ask for a report."""

    category = serializers.SlugField(max_length=100, required=False, allow_blank=True, default="")


class ExportSerializer(serializers.ModelSerializer[Export]):
    """A report, and how many rows it has: null until it is made."""

    class Meta:
        model = Export
        fields = ("id", "category", "rows")


class RequestedExportSerializer(serializers.ModelSerializer[Export]):
    """A report that was asked for: the same answer whoever makes it."""

    class Meta:
        model = Export
        fields = ("id", "category")
