#!/usr/bin/env python
"""Command line of the shop."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

WRONG_CONFIGURATION = 2


def main() -> int:
    """Run a management command; wrong settings end it with one message instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())
