"""Requests of one user as bytes.

Lines that stay the same are joined once, and plain requests are kept as they were
sent; users who send the same share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from loadstone.workload.answers import Answer, CaughtAnswer
from loadstone.workload.headers import FOREVER_NS, Jar, Watched, lines
from loadstone.workload.outgoing import Origin

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


MOST_READY = 1024
_NEW = frozenset({"Content-Type", "Content-Length"})
"""Headers that a client's own never hold, mostly; then they may follow them."""


class Ready(dict[str, tuple[bytes, str]]):
    """Plain requests that were sent before, by URL: bytes and path."""

    __slots__ = ("__weakref__",)


class How:
    """How one request differs from a plain one."""

    __slots__ = ("body", "context", "extra", "follow", "kind", "limit_ns")

    def __init__(self, limit_ns: int, kind: type[Answer | CaughtAnswer] = Answer) -> None:
        self.limit_ns = limit_ns
        self.kind = kind
        self.follow = True
        self.context: Mapping[str, Any] | None = None
        self.extra: dict[str, str] = {}
        self.body = b""


class Composer:
    """Headers and cookies of one user, and the requests that bear them.

    Args:
        origin: the host under test.
        headers: sent with every request.
        cookies: whether cookies are kept and sent.
    """

    def __init__(self, origin: Origin, headers: Mapping[str, str] | None, *, cookies: bool) -> None:
        self._origin = origin
        self._keeps_cookies = cookies
        self._ready = Ready()
        self._ready_until_ns = 0
        """Until when requests may be sent so, on `time.perf_counter_ns`."""
        self._lines = ""
        """Header lines that every request has, where they are the same for all paths."""
        first = {
            "Host": origin.host,
            "User-Agent": "loadstone",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            "Authorization": origin.authorization,
        }
        self.headers = Watched({**first, **(headers or {})}, self._renew)
        """Sent with every request; an empty one is not sent."""
        self.cookies = Jar(origin.url, self._renew)
        """Cookies of this user: `client.cookies["session"]`, `client.cookies.set(…)`."""

    def _prepare(self, url: str, now_ns: int) -> tuple[bytes, str]:
        """Return a plain GET request as bytes, and its path; ready for the next time where it may be."""
        if now_ns > self._ready_until_ns:
            self._make_ready()
        target = self._origin.target(url)
        if not self._lines:
            return self._compose("GET", target, PLAIN), target
        prepared = f"GET {target} HTTP/1.1\r\n{self._lines}\r\n".encode("latin-1"), target
        if len(self._ready) < MOST_READY:
            self._ready[url] = prepared
        return prepared

    def _compose(self, method: str, target: str, how: How) -> bytes:
        """Return a request with what `how` adds."""
        extra, body = how.extra, how.body
        if body or method in _WITH_BODY:
            extra = {**extra, "Content-Length": str(len(body))}
        if self._lines and not (extra.keys() - _NEW):
            return f"{method} {target} HTTP/1.1\r\n{self._lines}{lines(extra)}\r\n".encode("latin-1") + body
        headers = self.headers.copy()
        headers.update(extra)
        if self._keeps_cookies and "Cookie" not in headers:
            headers["Cookie"] = self.cookies.header_for(target)
        return f"{method} {target} HTTP/1.1\r\n{lines(headers)}\r\n".encode("latin-1") + body

    def _make_ready(self) -> None:
        """Begin anew, as headers or cookies changed, or a cookie expired."""
        headers = dict(self.headers)
        self._ready_until_ns = FOREVER_NS
        self._lines = ""
        if self._keeps_cookies and len(self.cookies):
            headers["Cookie"] = self.cookies.header_for("/")
            self._ready_until_ns = self.cookies.good_until_ns()
        text = lines(headers)
        text.encode("latin-1")  # raises here rather than with every request
        if self.cookies.everywhere and not (_NEW & {name.title() for name in headers}):
            self._lines = text
        self._ready = _shared(self._origin.prefix + text)

    def _renew(self) -> None:
        self._ready, self._ready_until_ns, self._lines = Ready(), 0, ""


PLAIN = How(0)
_READY: WeakValueDictionary[str, Ready] = WeakValueDictionary()


def _shared(text: str) -> Ready:
    """Return what users whose requests differ by their path alone share."""
    return _READY.setdefault(text, Ready())
