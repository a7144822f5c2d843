"""Users stay with the host under test: what leads away is not followed, and not asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from locust import User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from loadstone.workload.outgoing import ForeignHostError

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, or ("", "", None) for what is no URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None


def hold_user(user: User, base_url: str) -> None:
    """Keep the HTTP client of one of Locust's users at `base_url`'s origin, in what it asks for and follows.

    A request elsewhere raises `ForeignHostError` in the scenario before anything is sent. A client
    that a scenario makes for itself is not seen.
    """
    client: Any = getattr(user, "client", None)
    if not isinstance(client, FastHttpSession | HttpSession):
        return
    stay_within(client, base_url)
    build, home = client._build_url, origin(base_url)  # noqa: SLF001 - there is no public hook

    def build_url(path: str) -> str:
        url: str = build(path)
        if origin(url) != home:
            raise ForeignHostError(f"{url} is not at {base_url}, the host under test")
        return url

    client._build_url = build_url  # type: ignore[method-assign]  # noqa: SLF001 - as above


def stay_within(client: object, base_url: str) -> None:
    """Keep a user's HTTP client from following a redirect that leaves `base_url`'s origin."""
    if isinstance(client, FastHttpSession):
        _hold_agent(client.client, base_url)
    elif isinstance(client, requests.Session):
        _hold_session(client, base_url)


def _leaves(base_url: str, asked: str, location: str) -> bool:
    return origin(urljoin(asked, location)) != origin(base_url)


def _hold_agent(agent: Any, base_url: str) -> None:  # noqa: ANN401 - its methods are replaced on the instance
    open_url, send = agent.urlopen, agent._urlopen  # noqa: SLF001 - there is no public hook

    def urlopen(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the agent's
        followed = agent.redirect_response_codes
        try:
            return open_url(*args, **kwargs)
        finally:
            agent.redirect_response_codes = followed

    def send_one(request: Any) -> Any:  # noqa: ANN401 - as the agent's
        response = send(request)
        location = response.headers.get("location")
        if isinstance(location, str) and _leaves(base_url, request.url, location):
            agent.redirect_response_codes = frozenset()
        return response

    agent.urlopen, agent._urlopen = urlopen, send_one  # noqa: SLF001 - as above


def _hold_session(session: Any, base_url: str) -> None:  # noqa: ANN401 - its method is replaced on the instance
    target = session.get_redirect_target

    def get_redirect_target(response: requests.Response) -> str | None:
        location: str | None = target(response)
        if location is not None and _leaves(base_url, response.url, location):
            return None
        return location

    session.get_redirect_target = get_redirect_target
