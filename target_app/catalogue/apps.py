"""What happens once the catalogue's models are there."""

from __future__ import annotations

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Has stored ratings kept whenever a review is written, and kept queries dropped."""

    name = "catalogue"

    def ready(self) -> None:
        """Connect the events."""
        from catalogue import ratings  # noqa: PLC0415 - needs the models
        from core import toggles  # noqa: PLC0415 - reads the settings

        ratings.review_written.connect(ratings.keep_stored, dispatch_uid="stored ratings")
        if toggles.choice("cache") == "query":
            from catalogue import query_cache  # noqa: PLC0415 - its library is installed for this choice alone

            query_cache.connect()
