"""Asking for reports."""

from __future__ import annotations

from django.db import transaction

from background.services import later
from exports.models import Export


def request_export(category: str) -> Export:
    """Return a report that will be made: by now where tasks run inline, else by a worker."""
    with transaction.atomic():
        export = Export.objects.create(category=category)
        later("export_sales", export.pk)
    return export
