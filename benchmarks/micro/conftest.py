"""The shop's parts without its services: settings that name addresses which nothing ever asks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SHOP = Path(__file__).resolve().parents[2] / "target_app"
sys.path.append(str(SHOP))  # behind PYTHONPATH, by which `loadstone micro` names another commit's
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1/shop")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/9")
os.environ.setdefault("SECRET_KEY", "for benchmarks only " * 4)

import django  # noqa: E402 - settings are read at the first import

django.setup()
