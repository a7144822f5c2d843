"""What happens once the storefront's app is there."""

from __future__ import annotations

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Has fragments renewed whenever a product they show changes."""

    name = "storefront"

    def ready(self) -> None:
        """Connect the event."""
        from catalogue.pages import products_changed  # noqa: PLC0415 - needs the models
        from storefront import fragments  # noqa: PLC0415 - as above

        products_changed.connect(fragments.renew_grids, dispatch_uid="storefront's grids")
