"""The HTTP client of one lean user, in the words of Locust's other clients.

`get` is the hot path; what it does not know (bodies, headers of one request, time
limits) goes through `request`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loadstone.workload.answers import Answer, CaughtAnswer
from loadstone.workload.composer import How
from loadstone.workload.deadlines import DEADLINES
from loadstone.workload.headers import basic
from loadstone.workload.outgoing import Data, Files, Params, encode_body, with_params
from loadstone.workload.sender import Check, Sender

_clock = time.perf_counter_ns


class LeanSession(Sender):
    """HTTP client of one user. It never raises for what goes wrong on the wire: see `Answer.error`."""

    _replacement: Callable[..., Answer | CaughtAnswer] | None = None

    @property
    def base_url(self) -> str:
        """The host under test."""
        return self._origin.url + self._origin.prefix

    @property
    def request(self) -> Callable[..., Answer | CaughtAnswer]:
        """The function through which every request goes; it may be replaced."""
        return self._replacement or self._ask

    @request.setter
    def request(self, replacement: Callable[..., Answer | CaughtAnswer]) -> None:
        self._replacement = replacement

    def get(self, url: str, name: str | None = None, check: Check | None = None, **options: Any) -> Any:  # noqa: ANN401 - an Answer, with `catch_response` a CaughtAnswer
        """Send a GET request.

        Args:
            url: path below the host, or a whole URL of this host.
            name: of the endpoint in reports; without one, the URL.
            check: looks at the answer; the time it takes is not the request's.
            options: those of `request`.
        """
        if options or self._replacement is not None:
            return self.request("GET", url, name=name, check=check, **options)
        send_ns = _clock()
        prepared = self._ready.get(url)
        if prepared is None or send_ns > self._ready_until_ns:
            prepared = self._prepare(url, send_ns)
        return self._perform(
            self._get, prepared, name or self.request_name or url, check, send_ns, self._plain
        )

    def post(self, url: str, data: Data | None = None, json: Any = None, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send a POST request; `options` are those of `request`."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Data | None = None, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send a PUT request."""
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Data | None = None, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send a PATCH request."""
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send a DELETE request."""
        return self.request("DELETE", url, **options)

    def head(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send a HEAD request; redirects are not followed unless `allow_redirects` says so."""
        return self.request("HEAD", url, **{"allow_redirects": False, **options})

    def options(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - as `get`
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **options)

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Name all requests of a `with` block that have no name of their own."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def _ask(
        self,
        method: str,
        url: str,
        name: str | None = None,
        *,
        params: Params | None = None,
        data: Data | None = None,
        json: Any = None,  # noqa: ANN401 - whatever JSON can hold
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        check: Check | None = None,
        catch_response: bool = False,
        allow_redirects: bool = True,
        context: Mapping[str, Any] | None = None,
    ) -> Answer | CaughtAnswer:
        """Send a request and return its answer.

        Args:
            method: in capitals.
            url: path below the host, or a whole URL of this host.
            name: of the endpoint in reports; without one, the URL.
            params: added to the query.
            data: body as bytes or text, or fields of a form.
            json: body, where there is no `data`.
            files: `{field: (file name, content, type)}`, sent as a multipart form with `data`'s fields.
            headers: of this request; they replace the client's.
            auth: name and password for HTTP Basic.
            timeout: seconds that this request may take.
            check: looks at the answer; the time it takes is not the request's.
            catch_response: return what a `with` block calls a success or a failure.
            allow_redirects: whether to follow redirects; one to another host is never followed.
            context: for Locust's `request` event.

        Raises:
            ForeignHostError: the URL is of another host.
        """
        how = How(self._plain.limit_ns, CaughtAnswer if catch_response else Answer)
        if timeout is not None:
            how.limit_ns = round(timeout * 1e9)
            DEADLINES.tighten(timeout)
        how.follow, how.context = allow_redirects, context
        how.body, content_type = encode_body(data, json, files)
        if content_type:
            how.extra["Content-Type"] = content_type
        if auth is not None:
            how.extra["Authorization"] = basic(*auth)
        how.extra.update(headers or {})
        target = self._origin.target(with_params(url, params))
        verb = self._verbs.get(method) or self._verb(method)
        send_ns = _clock()
        if send_ns > self._ready_until_ns:
            self._make_ready()
        prepared = self._compose(method, target, how), target
        return self._perform(verb, prepared, name or self.request_name or url, check, send_ns, how)
