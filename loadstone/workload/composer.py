"""Requests of one user as bytes: head lines that stay the same are joined once, not with every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadstone.workload.answers import Answer
from loadstone.workload.headers import FOREVER_NS, Jar, Watched, lines
from loadstone.workload.outgoing import Origin

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class How:
    """How one request differs from a plain one."""

    __slots__ = ("body", "context", "extra", "follow", "kind", "limit_ns")

    def __init__(self, limit_ns: int, kind: type[Answer] = Answer) -> None:
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
        self._tail = ""
        """What follows the path in a plain request."""
        self._tail_until_ns = 0
        """Until when it may be sent so, on `time.perf_counter_ns`."""
        self._by_path = bool(origin.prefix)
        """Whether plain requests differ by more than their path."""
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

    def _compose(self, method: str, target: str, how: How) -> bytes:
        """Return a request with what `how` adds."""
        headers = self.headers.copy()
        headers.update(how.extra)
        if how.body or method in _WITH_BODY:
            headers["Content-Length"] = str(len(how.body))
        if self._keeps_cookies and "Cookie" not in headers:
            headers["Cookie"] = self.cookies.header_for(target)
        kept = {key: value for key, value in headers.items() if value}
        return f"{method} {target} HTTP/1.1\r\n{lines(kept)}\r\n".encode("latin-1") + how.body

    def _make_tail(self) -> None:
        """Make the tail; again when headers or cookies changed, or one expired."""
        headers = dict(self.headers)
        until = FOREVER_NS
        if self._keeps_cookies and len(self.cookies):
            headers["Cookie"] = self.cookies.header_for("/")
            until = self.cookies.good_until_ns()
        self._by_path = bool(self._origin.prefix) or not self.cookies.everywhere
        text = lines({key: value for key, value in headers.items() if value})
        text.encode("latin-1")  # raises here rather than with every request
        self._tail, self._tail_until_ns = f" HTTP/1.1\r\n{text}\r\n", until

    def _renew(self) -> None:
        self._tail_until_ns = 0
