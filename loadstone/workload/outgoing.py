"""Requests before they are sent: where they go, and their body."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

import msgspec
from requests.utils import requote_uri
from urllib3.filepost import encode_multipart_formdata

from loadstone.workload.headers import basic
from loadstone.workload.servers import Server

_PORTS = {"http": 80, "https": 443}
_encode_json = msgspec.json.Encoder(enc_hook=str).encode

Params = Mapping[str, Any] | Sequence[tuple[str, Any]] | str
Data = Mapping[str, Any] | Sequence[tuple[str, Any]] | str | bytes
Files = Mapping[str, Any]


class ForeignHostError(ValueError):
    """A request would leave the host under test."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The host under test, as its base URL names it.

    Attributes:
        url: scheme, host and port, without a path.
        prefix: path that all paths begin with, mostly nothing.
        host: value of the Host header.
        authorization: value of that header, where the URL bears a name and a password.
    """

    url: str
    prefix: str
    host: str
    server: Server
    authorization: str = ""

    @classmethod
    def parse(cls, base_url: str, tls: ssl.SSLContext | None = None) -> Origin:
        """Read a base URL; raises `ValueError` when it is not one of http or https.

        Args:
            base_url: such as `https://user:password@shop.test:8443/api`.
            tls: what to trust; without it, what the system trusts.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{base_url!r} is no base URL: it should look like http://127.0.0.1:8000")
        port = parts.port or _PORTS[parts.scheme]
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        named = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
        context = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        credentials = ""
        if parts.username is not None:
            credentials = basic(unquote(parts.username), unquote(parts.password or ""))
        return cls(
            url=f"{parts.scheme}://{named}",
            prefix=parts.path.rstrip("/"),
            host=named,
            server=Server(parts.hostname, port, context),
            authorization=credentials,
        )

    def target(self, url: str) -> str:
        """Return what stands in the request line for `url`: path and query, quoted.

        Args:
            url: a path below the base URL, or a whole URL of this host.

        Raises:
            ForeignHostError: it is a URL of another host.
        """
        path = self.within(url)
        if path is None:
            raise ForeignHostError(f"{url} is not at {self.url}, the host under test")
        return path

    def within(self, url: str) -> str | None:
        """Return the request line's path of `url`, or None where it is at another host."""
        lowered = url[:8].lower()
        if not lowered.startswith(("http://", "https://")):
            path = f"{self.prefix}{url}" if url.startswith("/") else f"{self.prefix}/{url}"
            return _quoted(path)
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except ValueError:
            return None
        if (parts.hostname, port) != (self.server.host, self.server.port):
            return None
        if not self.url.startswith(f"{parts.scheme}:"):
            return None
        return _quoted(parts._replace(scheme="", netloc="").geturl() or "/")

    def led_to(self, path: str, location: str) -> str | None:
        """Return where a redirect of `path` leads, as `within`."""
        try:
            return self.within(urljoin(self.url + path, location))
        except ValueError:
            return None


def with_params(url: str, params: Params | None) -> str:
    """Return `url` with query parameters added; lists give a parameter several values."""
    if not params:
        return url
    if not isinstance(params, str):
        given = params.items() if isinstance(params, Mapping) else params
        params = urlencode([(key, value) for key, value in given if value is not None], doseq=True)
    path, mark, fragment = url.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{params}{mark}{fragment}"


def encode_body(data: Data | None, json: Any, files: Files | None) -> tuple[bytes, str]:  # noqa: ANN401 - JSON
    """Return a body and its content type, which is empty where only the caller knows it."""
    if files:
        fields = [*_pairs(data), *(files.items())]
        body, content_type = encode_multipart_formdata([(key, _file(value)) for key, value in fields])
        return body, content_type
    if data is None:
        return (b"", "") if json is None else (_encode_json(json), "application/json")
    if isinstance(data, bytes):
        return data, ""
    if isinstance(data, str):
        return data.encode(), ""
    return urlencode(_pairs(data), doseq=True).encode(), "application/x-www-form-urlencoded"


def _pairs(data: Data | None) -> list[tuple[str, Any]]:
    if data is None:
        return []
    if isinstance(data, str | bytes):
        raise TypeError("files go with form fields, not with a body of one's own")
    return list(data.items()) if isinstance(data, Mapping) else list(data)


def _file(value: Any) -> Any:  # noqa: ANN401 - as urllib3 takes them
    """Return a field with open files read; tuples are (name, content, type)."""
    if isinstance(value, tuple):
        return tuple(_file(part) for part in value)
    if hasattr(value, "read"):
        return value.read()
    return value if isinstance(value, str | bytes) or value is None else str(value)


def _quoted(path: str) -> str:
    path = path.partition("#")[0]
    if path.isascii() and path.isprintable() and " " not in path:
        return path
    return requote_uri(quote(path, safe="/?:@!$&'()*+,;=~%-._[]"))
