"""The same server below gunicorn."""

import core


def application(environ, start_response):
    """Answer a request."""
    status = 200
    if environ["PATH_INFO"] != "/health":
        core.obey()
        status = core.answer()
    body = b'{"path": "/page", "items": [1, 2, 3]}'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} told", headers)
    return [body]
