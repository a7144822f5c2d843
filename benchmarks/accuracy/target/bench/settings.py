"""Settings, from environment variables."""

import os
from typing import Any
from urllib.parse import urlsplit

_database = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = os.environ.get("SECRET_KEY", "")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "bench.urls"
WSGI_APPLICATION = "bench.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_I18N = False
USE_TZ = True
INSTALLED_APPS = ["rest_framework", "goods"]
MIDDLEWARE = [
    "bench.cost.cost_middleware",  # outermost: it sees what the others cost
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.removeprefix("/"),
        "USER": _database.username or "",
        "PASSWORD": _database.password or "",
        "HOST": _database.hostname or "",
        "PORT": str(_database.port or ""),
        "CONN_MAX_AGE": None,
    },
}
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

BENCH_KIND = os.environ.get("BENCH_KIND", "spin")
BENCH_SIZE = float(os.environ.get("BENCH_SIZE", "0")) / 100.0
BENCH_QUERY = os.environ.get("BENCH_QUERY", "none")
BENCH_RECORDS = os.environ.get("BENCH_RECORDS", "")
"""Folder for the account of every request; without it the account ends with the process."""
