"""The process's environment, read by all components."""

import os

from config.settings.environment import Environment

env = Environment(os.environ)
