"""Headers that a user sends with every request, cookies included, ready as text."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from email.message import Message
from http.cookiejar import Cookie
from typing import Any

from requests import PreparedRequest
from requests.cookies import MockRequest, MockResponse, RequestsCookieJar, get_cookie_header
from requests.structures import CaseInsensitiveDict

from loadstone.workload.heads import header_fields

FOREVER_NS = 1 << 62
_FORBIDDEN = frozenset("\r\n\0")


class Watched(CaseInsensitiveDict[str]):
    """Headers of a client; `changed` is called when one is set or deleted."""

    def __init__(self, given: Mapping[str, str], changed: Callable[[], None]) -> None:
        self.changed: Callable[[], None] = lambda: None
        super().__init__(given)
        self.changed = changed

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        self.changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.changed()


class Jar(RequestsCookieJar):
    """Cookies of one user and one host; `changed` is called when they change."""

    def __init__(self, url: str, changed: Callable[[], None]) -> None:
        super().__init__()
        self._url = url
        self._changed = changed
        self._seen: list[str] = []

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the parent's
        """Keep a cookie."""
        result = super().set_cookie(cookie, *args, **kwargs)
        self._changed()
        return result

    def clear(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the parent's
        """Forget cookies."""
        super().clear(*args, **kwargs)
        if "_changed" in self.__dict__:
            self._changed()

    def take(self, head: bytes, path: str) -> None:
        """Keep what the head of an answer to `path` sets."""
        values = [value for name, value in header_fields(head) if name == "set-cookie"]
        if not values or values == self._seen:
            return
        self._seen = values
        message = Message()
        for value in values:
            message["Set-Cookie"] = value
        request: Any = MockRequest(self._request(path))  # as far as a jar needs one
        response: Any = MockResponse(message)
        self.extract_cookies(response, request)

    def header_for(self, path: str) -> str:
        """Return the value of the Cookie header of a request to `path`, or nothing."""
        return get_cookie_header(self, self._request(path)) or ""

    @property
    def everywhere(self) -> bool:
        """Whether every path of the host gets the same cookies."""
        return all(cookie.path == "/" for cookie in self)

    def good_until_ns(self) -> int:
        """Return when the first cookie expires, on `time.perf_counter_ns`."""
        ends = [cookie.expires for cookie in self if cookie.expires is not None]
        if not ends:
            return FOREVER_NS
        return time.perf_counter_ns() + int((min(ends) - time.time()) * 1e9)

    def _request(self, path: str) -> PreparedRequest:
        request = PreparedRequest()
        request.method, request.url, request.headers = "GET", self._url + path, CaseInsensitiveDict()
        return request


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def lines(headers: Mapping[str, str]) -> str:
    """Return headers as lines, without empty ones; raises `ValueError` for what would begin another line."""
    kept = {name: value for name, value in headers.items() if value}
    for name, value in kept.items():
        if _FORBIDDEN & set(f"{name}{value}") or ":" in name or not name:
            raise ValueError(f"the header {name!r} cannot be sent")
    return "".join(f"{name}: {value}\r\n" for name, value in kept.items())
