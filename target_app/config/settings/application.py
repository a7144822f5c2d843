"""Apps, middleware, toggles."""

from typing import Any

from config.settings import watching
from config.settings.source import env
from core.availability import resolve
from core.toggles import declared

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

TOGGLES: dict[str, str] = {
    toggle.name: env.choice(toggle.env, toggle.choices, toggle.default) for toggle in declared().values()
}
for _toggle in declared().values():
    _absent = _toggle.absent(TOGGLES[_toggle.name], env.text)
    if _absent:
        env.problems.append(f"{_toggle.env}={TOGGLES[_toggle.name]!r} is not available here: {_absent}")

TOGGLES, _unavailable = resolve(
    env.vendor("DATABASE_URL"),
    TOGGLES,
    {toggle.name: toggle.default for toggle in declared().values()},
    {toggle.name: toggle.choices for toggle in declared().values()},
)
env.problems += _unavailable

INSTALLED_APPS = [
    *(["cacheops"] if TOGGLES["cache"] == "query" else []),
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "oauth2_provider",
    "drf_spectacular",
    "core",
    "background",
    "accounts",
    "customers",
    "catalogue",
    "orders",
    "storefront",
    "exports",
    "seeding",
    *watching.APPS[TOGGLES["instrumentation"]],
]

MIDDLEWARE = [
    *watching.OUTER_MIDDLEWARE[TOGGLES["instrumentation"]],
    "core.logs.identified",
    "django.middleware.security.SecurityMiddleware",
    "core.answering.compression",  # outside of what looks at the body
    *watching.INNER_MIDDLEWARE[TOGGLES["instrumentation"]],
    "core.answering.conditional",
    "core.versions.announce",  # within: 304 repeats no headers
    "core.answering.sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
