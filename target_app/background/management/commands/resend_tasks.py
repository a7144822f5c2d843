"""`manage.py resend_tasks`: send again what a broker lost, or what was given up."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from background import services
from background.models import State, TaskRun

OLD_S = 300


class Command(BaseCommand):
    """Send messages again; work that is done is not done twice."""

    help = "Send the messages of work again that has waited too long or, with --dead, of what was given up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--older", type=int, default=OLD_S, metavar="SECONDS", help="how long it must have waited"
        )
        parser.add_argument("--dead", action="store_true", help="dead letters instead, with new attempts")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Send them."""
        if options["dead"]:
            runs = TaskRun.objects.filter(state=State.DEAD)
        else:
            before = timezone.now() - timedelta(seconds=options["older"])
            waiting = (State.QUEUED, State.RUNNING, State.RETRYING)
            runs = TaskRun.objects.filter(state__in=waiting, queued_at__lt=before)
        self.stdout.write(f"{services.resend(list(runs.order_by('queued_at')))} sent again")
