"""Reports that were asked for."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Export(models.Model):
    """A report of what was sold, of a category and all below it or of everything."""

    category = models.CharField(max_length=100, blank=True, default="")
    """Slug; empty: everything."""
    requested_at = models.DateTimeField(default=timezone.now)
    rows = models.PositiveIntegerField(null=True)
    """None until it is made."""
    content = models.TextField(null=True)  # noqa: DJ001 - an empty report is not one that is still to be made
    """The file: kept in the database, which server and worker share."""

    def __str__(self) -> str:
        return f"export {self.pk}"
