"""Tasks that only tests need: one that can be killed at work, one that never succeeds."""

import os
import time
from pathlib import Path

from catalogue.models import Tag

LONG_S = 100


def slow(subject):
    """Write a row; the first time, then work on for long enough to be killed."""
    Tag.objects.create(name="made by a task", slug=f"task-{subject}-{os.getpid()}")
    marks = Path(os.environ["MARKS"])
    first = not list(marks.iterdir())
    (marks / str(os.getpid())).touch()
    if first:
        time.sleep(LONG_S)


def failing(subject):
    """Write a row that must not stay, and fail."""
    Tag.objects.create(name="made in vain", slug=f"vain-{subject}")
    raise RuntimeError("the printer is on fire")
