"""How a request ended, from its status and what went wrong."""

from __future__ import annotations

from loadstone.record.observations import Outcome

OK = int(Outcome.OK)
NOT_MODIFIED = 304
"""The answer to a client that has it already, and asked whether that still holds: nowhere to go to."""
TOO_MANY_REQUESTS = 429
_WIRE = frozenset({
    "ChunkedEncodingError", "ConnectionError", "HTTPParseError", "IncompleteRead", "ProtocolError",
    "SSLError", "Timeout", "TimeoutError",
})  # fmt: skip
"""What the libraries of HTTP raise where an answer breaks off; not all of them are there everywhere."""


def of_status(status: int) -> Outcome:
    """Return the outcome that a status tells; what is no status is a transport error."""
    if status < 200:  # noqa: PLR2004 - the classes of RFC 9110, 15
        return Outcome.TRANSPORT_ERROR
    if status < 300 or status == NOT_MODIFIED:  # noqa: PLR2004 - as above
        return Outcome.OK
    if status < 400:  # noqa: PLR2004 - as above
        return Outcome.REDIRECT
    if status == TOO_MANY_REQUESTS:
        return Outcome.TOO_MANY_REQUESTS
    return Outcome.CLIENT_ERROR if status < 500 else Outcome.SERVER_ERROR  # noqa: PLR2004 - as above


def of_report(status: int, error: BaseException | None) -> Outcome:
    """Return the outcome of a request that a client reported with `error`, or None where all was well.

    A client may call an error status well, and a good one an error: then a check failed,
    unless the body never came to its end.
    """
    if error is None:
        found = of_status(status)
        return found if found is Outcome.REDIRECT else Outcome.OK
    if status == 0:
        return Outcome.TIMEOUT if is_timeout(error) else Outcome.TRANSPORT_ERROR
    found = of_status(status)
    return of_broken(error) or Outcome.CHECK_FAILED if found in {Outcome.OK, Outcome.REDIRECT} else found


def of_broken(error: BaseException) -> Outcome | None:
    """Return the outcome of an answer that broke off behind its head; None: `error` says another thing."""
    if not any(kind.__name__ in _WIRE for kind in type(error).__mro__):
        return None
    return Outcome.TIMEOUT if is_timeout(error) else Outcome.TRANSPORT_ERROR


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether an error, or what it was raised from, is about time."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
            return True
        # geventhttpclient keeps what it gave up on in `original`
        error = getattr(error, "original", None) or error.__cause__ or error.__context__
    return False
