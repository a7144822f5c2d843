"""A shop that is asked by its command line, in an environment of its own."""

import subprocess
import sys

from core.toggles import DECLARATION

SHOP = DECLARATION.parent
GOOD = {
    "DATABASE_URL": "postgresql://ada:p%40ss@db.example:5433/shop?sslmode=require",
    "REDIS_URL": "redis://:secret@cache.example:6380/2",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
}


def manage(*words, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=SHOP,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
