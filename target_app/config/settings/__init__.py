"""Settings of the shop, in components, all from environment variables.

Importing this package reads the environment once and raises
`ImproperlyConfigured`, with every problem listed, when it is wrong.
"""

from config.settings.api import *  # noqa: F403 - Django reads the names of this module
from config.settings.application import *  # noqa: F403 - as above
from config.settings.background import *  # noqa: F403 - as above
from config.settings.graph import *  # noqa: F403 - as above
from config.settings.logs import *  # noqa: F403 - as above
from config.settings.query_cache import *  # noqa: F403 - as above
from config.settings.security import *  # noqa: F403 - as above
from config.settings.serving import *  # noqa: F403 - as above
from config.settings.source import env
from config.settings.storage import *  # noqa: F403 - as above
from config.settings.watching import *  # noqa: F403 - as above

env.check()
