"""Settings for the type checker, which imports them without any service to name."""

import os

for _name, _value in {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "for types only",
}.items():
    os.environ.setdefault(_name, _value)

from config.settings import *  # noqa: E402, F403 - they read the variables above
