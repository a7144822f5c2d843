"""Work in the background (toggles `tasks`, `broker`): what there is to do, and Celery's settings."""

from typing import Any

from config.settings.application import TOGGLES
from config.settings.source import env
from config.settings.storage import CACHES

SHOP_TASKS = {
    "confirm_order": "orders.paperwork.confirm_order",
    "export_sales": "exports.work.export_sales",
}
"""By name: the function that does it, given the key of the row that it is about."""
SHOP_TASK_ATTEMPTS = env.number("SHOP_TASK_ATTEMPTS", 5, least=1)
"""After so many a piece of work is a dead letter."""
SHOP_TASK_BACKOFF_MS = env.number("SHOP_TASK_BACKOFF_MS", 1000, least=1)
"""Wait after the first failure; it doubles with every further one."""
_VISIBILITY_S = env.number("SHOP_TASK_VISIBILITY_SECONDS", 600, least=1)
"""Redis gives a message to another worker when it was not acknowledged for so long."""
_RABBITMQ_URL = env.text("SHOP_RABBITMQ_URL", "")
"""Such as amqp://USER:PASSWORD@HOST:5672/; the toggle `broker` says when it is needed."""

CELERY_BROKER_URL = {"redis": CACHES["default"]["LOCATION"], "rabbitmq": _RABBITMQ_URL}[TOGGLES["broker"]]
_OPTIONS: dict[str, dict[str, Any]] = {
    "redis": {
        "global_keyprefix": "shop-tasks:",
        "visibility_timeout": _VISIBILITY_S,
        "unacked_restore_interval": min(10, _VISIBILITY_S),
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    },
    "rabbitmq": {"confirm_publish": True},
}
CELERY_BROKER_TRANSPORT_OPTIONS = _OPTIONS[TOGGLES["broker"]]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_DEFAULT_QUEUE = "shop"
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
# A message is acknowledged when its work is done: a worker that is killed leaves it to another.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = (
    30  # seconds to come up in: with the default 4, a busy machine loses processes
)
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_TASK_IGNORE_RESULT = True  # the table of task runs tells
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# A worker keeps its connection as the server's threads do: Celery closes it after so many tasks.
CELERY_DB_REUSE_MAX = 1000 if TOGGLES["db_connections"] == "persistent" else None
