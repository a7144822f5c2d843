"""Secrets, hosts, HTTPS.

`SHOP_ENV=production` turns on what needs HTTPS in front; the default serves
plain HTTP on loopback, with debugging off all the same.
"""

from config.settings.application import TOGGLES
from config.settings.source import env
from config.settings.watching import REVEALING

SHOP_ENV = env.choice("SHOP_ENV", ("local", "production"), "local")
_PRODUCTION = SHOP_ENV == "production"
_YEAR_S = 365 * 24 * 3600
_LEAST_SECRET = 50

DEBUG = env.flag("SHOP_DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", hint="50 or more random characters")
ALLOWED_HOSTS = env.words("SHOP_ALLOWED_HOSTS", "" if _PRODUCTION else "127.0.0.1,localhost,[::1]")

if _PRODUCTION and DEBUG:
    env.problems.append("SHOP_DEBUG=true shows internals to every client: unset it in production")
if _PRODUCTION and not ALLOWED_HOSTS:
    env.problems.append("SHOP_ALLOWED_HOSTS is not set: in production name the hosts, separated by commas")
if _PRODUCTION and 0 < len(SECRET_KEY) < _LEAST_SECRET:
    env.problems.append(
        f"SECRET_KEY is too short: in production use {_LEAST_SECRET} or more random characters"
    )
if _PRODUCTION and TOGGLES["instrumentation"] in REVEALING:
    env.problems.append(
        f"SHOP_INSTRUMENTATION={TOGGLES['instrumentation']} shows requests to every client: not in production"
    )

CSRF_COOKIE_SECURE = _PRODUCTION
SESSION_COOKIE_SECURE = _PRODUCTION
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
"""Bytes of a body: ten times the longest that is right. Files are not taken at all."""
SECURE_SSL_REDIRECT = _PRODUCTION
# Probes and scrapers inside the cluster speak plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = _YEAR_S if _PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _PRODUCTION
SECURE_HSTS_PRELOAD = _PRODUCTION
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("SHOP_BEHIND_PROXY", default=False) else None
)
