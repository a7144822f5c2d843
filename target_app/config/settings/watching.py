"""What each choice of the toggle `instrumentation` puts around the shop."""

APPS: dict[str, list[str]] = {
    "off": [],
    "prometheus": [],
    "silk": ["django.contrib.staticfiles", "silk"],
    "toolbar": ["django.contrib.staticfiles", "debug_toolbar"],
}
OUTER_MIDDLEWARE: dict[str, list[str]] = {
    "off": [],
    "prometheus": ["core.metrics.counted"],
    "silk": [],
    "toolbar": [],
}
"""Around everything: what a client waits for is counted whole."""
INNER_MIDDLEWARE: dict[str, list[str]] = {
    "off": [],
    "prometheus": [],
    "silk": ["silk.middleware.SilkyMiddleware"],
    "toolbar": ["debug_toolbar.middleware.DebugToolbarMiddleware"],
}
"""Within compression: they read bodies, or write into them."""
REVEALING = ("silk", "toolbar")
"""They show what clients sent to whoever asks."""

SHOP_DIAGNOSE = False
"""Whether people may look at what Silk and the toolbar kept: with the settings `config.diagnose` alone."""

STATIC_URL = "/static/"
DEBUG_TOOLBAR_CONFIG = {
    "SHOW_TOOLBAR_CALLBACK": "config.watched.asked_from_this_host",
    "IS_RUNNING_TESTS": False,
}
