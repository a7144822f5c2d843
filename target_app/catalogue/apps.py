"""What happens once the catalogue's models are there."""

from __future__ import annotations

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Has stored ratings kept whenever a review is written."""

    name = "catalogue"

    def ready(self) -> None:
        """Connect the event."""
        from catalogue import ratings  # noqa: PLC0415 - needs the models

        ratings.review_written.connect(ratings.keep_stored, dispatch_uid="stored ratings")
