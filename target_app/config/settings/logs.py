"""Logging: lines for people, or JSON for machines, each with its request's id."""

from typing import Any

from config.settings.source import env

_FORMAT = env.choice("SHOP_LOG_FORMAT", ("line", "json"), "line")
SHOP_ACCESS_LOG = env.flag("SHOP_ACCESS_LOG", default=False)
"""One line a request; under load it costs more than some answers."""

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request ids": {"()": "core.logs.RequestIds"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {request_id} {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{request_id}{message}",
            "style": "{",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": _FORMAT, "filters": ["request ids"]}
    },
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("SHOP_LOG_LEVEL", ("INFO", "WARNING", "ERROR"), "WARNING"),
    },
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # A 4xx is the client's affair: under load its log line would cost more than the answer.
        "django.request": {"level": "ERROR"},
        "shop.requests": {"level": "INFO"},
    },
}
