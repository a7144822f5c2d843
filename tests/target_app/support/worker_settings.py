"""The shop's settings, with tasks that only tests need."""

from config.settings import *  # noqa: F403 - Django reads the names of this module
from config.settings import SHOP_TASKS as OWN

SHOP_TASKS = OWN | {"slow": "worker_tasks.slow", "failing": "worker_tasks.failing"}
