"""REST framework and the API's description."""

from datetime import timedelta
from typing import Any

from config.settings.source import env

SHOP_PAGE_SIZE = env.number("SHOP_PAGE_SIZE", 20, least=1)
SHOP_PAGE_SIZE_MAX = env.number("SHOP_PAGE_SIZE_MAX", 1000, least=1)
SHOP_THROTTLE_RATE = env.rate("SHOP_THROTTLE_RATE", "1000/s")
"""What one client may ask for, when throttling is on: high enough that a load test of one client passes."""

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["core.answering.ToggledRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.parsing.BoundedJSONParser"],
    # A shop window; views of what belongs to somebody know whom to let in: see `accounts.access`.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_CLASSES": ["core.throttling.ToggledThrottle"],
    # Clients may write X-Forwarded-For themselves: count by the peer's address.
    "NUM_PROXIES": 0,
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "core.ordering.StableOrdering",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.problems.handle",
}

SHOP_LOGIN_FAILURES = env.number("SHOP_LOGIN_FAILURES", 5, least=1)
"""How many logins of one name may fail within a minute, by address."""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Shop",
    "DESCRIPTION": "The reference shop: a catalogue, reviews, search and orders.",
    "VERSION": "2",
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.versions.describe",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "OAUTH2_FLOWS": ["clientCredentials"],
    "OAUTH2_TOKEN_URL": "/api/v2/oauth/token",
}

OAUTH2_PROVIDER: dict[str, Any] = {
    "SCOPES": {
        "account": "Read the account of the client's owner.",
        "orders": "Place orders and write reviews for the owner, and read its orders.",
    },
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # What OAuth 2's best practice asks for (RFC 9700), though the shop gives tokens to programs alone.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

SIMPLE_JWT: dict[str, Any] = {
    # Nobody can take one back: it should not live longer than a visit.
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
}
