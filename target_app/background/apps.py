"""What happens once the models are there."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class BackgroundConfig(AppConfig):
    """Has Celery imported before the first request where the toggle `tasks` asks for it, and nowhere else."""

    name = "background"

    def ready(self) -> None:
        """Import the queue."""
        if settings.TOGGLES["tasks"] == "celery":
            from background import queue  # noqa: F401, PLC0415 - slow to import; inline needs none of it
