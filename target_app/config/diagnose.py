"""Settings for people to look into the shop with: Silk and the debug toolbar, never in production.

    DJANGO_SETTINGS_MODULE=config.diagnose python manage.py migrate
    DJANGO_SETTINGS_MODULE=config.diagnose python manage.py runserver     # then /silk/, or any HTML page

Both make every request several times as slow: nothing is measured with these.
"""

from django.core.exceptions import ImproperlyConfigured

from config.settings import *  # noqa: F403 - Django reads the names of this module
from config.settings import INSTALLED_APPS, MIDDLEWARE, SHOP_ENV, watching

if SHOP_ENV == "production":
    raise ImproperlyConfigured(
        "config.diagnose shows requests to every client: use config.settings in production"
    )

SHOP_DIAGNOSE = True
INSTALLED_APPS = list(
    dict.fromkeys([*INSTALLED_APPS, *(app for name in watching.REVEALING for app in watching.APPS[name])])
)
_inner = [one for name in watching.REVEALING for one in watching.INNER_MIDDLEWARE[name]]
_rest = [one for one in MIDDLEWARE if one not in _inner]
_place = _rest.index("core.answering.conditional")
MIDDLEWARE = [*_rest[:_place], *_inner, *_rest[_place:]]
