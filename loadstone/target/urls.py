"""URLs of services: taking them apart, and keeping their passwords out of sight."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit, urlunsplit

from loadstone.secrecy import clean


def redact(text: str, *secrets: str) -> str:
    """Return `text` with the credentials of all URLs, and each secret, replaced by dots."""
    return clean(text, *secrets)


def password_of(url: str) -> str:
    """Return the decoded password of a URL, or an empty string."""
    return unquote(urlsplit(url).password or "")


def host_of(url: str) -> str:
    """Return the host name of a URL; an empty string where it names none."""
    return urlsplit(url).hostname or ""


def with_path(url: str, path: str) -> str:
    """Return `url` with another path: `/name` of a database, `/1` of a Redis."""
    return urlunsplit(urlsplit(url)._replace(path=path))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine, without asking a name server."""
    if host.lower() in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
