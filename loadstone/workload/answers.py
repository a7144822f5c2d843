"""What a scenario gets for its request. Headers, text and JSON are worked out when they are asked for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
from locust.exception import CatchResponseError
from requests.structures import CaseInsensitiveDict

from loadstone.workload.heads import header_fields

_PLAIN_STARTS = frozenset({b"", b"{", b"[", b"<", b'"', b"\n"})
"""First bytes of nearly every body; no gzip or deflate stream begins so."""
MAX_INFLATED_BYTES = 64 << 20
_decode_json = msgspec.json.decode


class BadStatusError(CatchResponseError):
    """The answer's status is an error, and nobody said that it should be one."""


class AnswerWords:
    """What can be asked of an answer, whatever holds it."""

    if TYPE_CHECKING:
        status_code: int
        url: str
        elapsed_ns: int
        error: Exception | None
        _body: bytes
        _head: bytes
        _headers: CaseInsensitiveDict[str] | None
    else:
        __slots__ = ()  # so that a struct may inherit from it

    def __repr__(self) -> str:
        return f"<Answer [{self.status_code}]>"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether there is an answer and its status is below 400."""
        return self.error is None and 0 < self.status_code < 400  # noqa: PLR2004 - RFC 9110, 15

    @property
    def wire_bytes(self) -> int:
        """Length of the body as it came."""
        return len(self._body)

    @property
    def headers(self) -> CaseInsensitiveDict[str]:
        """Headers; those that came several times are joined by a comma."""
        if self._headers is None:
            self._headers = CaseInsensitiveDict()
            for name, value in header_fields(self._head):
                known = self._headers.get(name)
                self._headers[name] = value if known is None else f"{known}, {value}"
        return self._headers

    @property
    def content(self) -> bytes:
        """The body, unpacked where it came as gzip or deflate; raises `ValueError` when it cannot be."""
        if self._body[:1] in _PLAIN_STARTS:
            return self._body
        encoding = self.headers.get("content-encoding", "").lower().strip()
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._body = _inflated(self._body)
            self._headers = self.headers.copy()
            del self._headers["content-encoding"]  # so that it is not done twice
        return self._body

    @property
    def text(self) -> str:
        """The body as text, by the charset that the server names, else UTF-8."""
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        try:
            return self.content.decode(charset.split(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self, type: Any = Any) -> Any:  # noqa: A002, ANN401 - msgspec's own word; JSON may be anything
        """Return the body read as JSON.

        Args:
            type: a msgspec type to check against and to read into, faster than reading everything.

        Raises:
            ValueError: it is no JSON, or not of that type (`json.JSONDecodeError` for the former).
        """
        content = self._body
        if content[:1] not in _PLAIN_STARTS:
            content = self.content
        try:
            return _decode_json(content) if type is Any else _decode_json(content, type=type)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        except msgspec.DecodeError:
            return json.loads(content)  # which knows NaN, and raises what callers expect

    def raise_for_status(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.error is not None:
            raise self.error


class Answer(AnswerWords, msgspec.Struct, gc=False, eq=False, repr_omit_defaults=True):
    """A response, named as in other clients; a struct, as these are made five times faster than objects.

    Attributes:
        status_code: 0 where there is no answer.
        url: what was asked for; after redirects the last path.
        elapsed_ns: from the send to the last byte.
        error: what went wrong, or None; a status of 400 and above is an error too.
    """

    status_code: int
    _body: bytes
    _head: bytes
    url: str
    elapsed_ns: int
    error: Exception | None = None
    _headers: CaseInsensitiveDict[str] | None = None


class CaughtAnswer(AnswerWords):
    """An answer whose success the scenario decides: `with client.get(…, catch_response=True) as answer:`."""

    # no __slots__: helpers of Locust attach attributes of their own, such as `js`

    def __init__(self, status_code: int, body: bytes, head: bytes, url: str, elapsed_ns: int) -> None:
        self.status_code = status_code
        self.url = url
        self.elapsed_ns = elapsed_ns
        self.error = None
        self._body = body
        self._head = head
        self._headers = None

    def settle_with(self, report: Callable[[CaughtAnswer, Exception | None], None]) -> None:
        """Set what takes the verdict; called once. It must not know the answer before."""
        self._report: Callable[[CaughtAnswer, Exception | None], None] | None = report
        self._verdict: Exception | None = self.error

    def success(self) -> None:
        """Call it well, whatever its status."""
        self._verdict = None

    def failure(self, problem: str | Exception) -> None:
        """Call it wrong."""
        self._verdict = problem if isinstance(problem, Exception) else CatchResponseError(problem)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        swallowed = isinstance(error, CatchResponseError)
        if isinstance(error, Exception):
            self._verdict = error
        self._settle()
        return swallowed

    def __del__(self) -> None:
        self._settle()  # somebody forgot the `with`; the request was sent all the same

    def _settle(self) -> None:
        report, self._report = getattr(self, "_report", None), None
        if report is not None:
            report(self, self._verdict)


def _inflated(packed: bytes) -> bytes:
    """Return gzip or deflate, with or without its header, unpacked up to a limit."""
    for window_bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        inflater = zlib.decompressobj(window_bits)
        try:
            plain = inflater.decompress(packed, MAX_INFLATED_BYTES)
        except zlib.error:
            continue
        if inflater.unconsumed_tail:
            raise ValueError(f"the body unpacks to more than {MAX_INFLATED_BYTES} bytes")
        if not inflater.eof:
            raise ValueError("the packed body is cut short")
        return plain
    raise ValueError("the body is not packed as its head says")
