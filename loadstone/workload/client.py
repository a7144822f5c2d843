"""A Locust user whose requests cost a fraction of what they cost elsewhere.

    from loadstone.workload.client import LeanHttpUser

    class Visitor(LeanHttpUser):
        @task
        def look(self):
            self.client.get(f"/products/{random.randint(1, 9)}", name="/products/{id}", check=has_price)

The client is that of `HttpUser` in the words that people use daily. What differs: it
talks to the user's host alone, an answer is held in memory, up to a limit, and
`timeout` is the time that a whole request may take.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import ClassVar

from locust import User
from locust.env import Environment
from locust.exception import StopTest, StopUser
from locust.user.task import LOCUST_STATE_STOPPING
from locust.user.users import RestMixin

from loadstone.workload.answers import Answer, CaughtAnswer
from loadstone.workload.due import untimed, variant
from loadstone.workload.outgoing import ForeignHostError, Origin
from loadstone.workload.reporting import reporting_of
from loadstone.workload.sender import Check
from loadstone.workload.session import LeanSession

__all__ = ["Answer", "CaughtAnswer", "Check", "ForeignHostError", "LeanHttpUser", "LeanSession"]


class LeanHttpUser(RestMixin[CaughtAnswer], User):
    """A user with a `client` that is lean. What `on_start` and `on_stop` send is not measured.

    It works in plain Locust files and with Locust's own command; there its requests appear
    in Locust's statistics as those of other users do.
    """

    abstract = True

    timeout: ClassVar[float] = 60.0
    """Seconds that a request may take, connecting and redirects included; longer ones count as timeouts."""
    default_headers: ClassVar[Mapping[str, str] | None] = None
    """Sent with every request; one user's own go into `self.client.headers`."""
    keep_cookies: ClassVar[bool] = True
    max_redirects: ClassVar[int] = 10
    verify: ClassVar[bool | str] = True
    """Whether the server's certificate must be good, or a file with the authorities to trust."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest(
                "there is no host: set `host` in the user class, or give --host on the command line"
            )
        self.client = LeanSession(
            Origin.parse(self.host, _trust(self.verify) if self.host.lower().startswith("https:") else None),
            reporting_of(environment),
            user=self,
            timeout_s=self.timeout,
            headers=self.default_headers,
            cookies=self.keep_cookies,
            max_redirects=self.max_redirects,
            variant=variant(),
        )
        self.on_start = partial(self._begin, self.on_start)  # type: ignore[method-assign]  # Locust has no hook
        self.on_stop = partial(self._end, self.on_stop)  # type: ignore[method-assign]  # as above

    def _hurry(self) -> None:
        """Spare the turn that Locust takes between tasks without think time.

        It is there for other users' sake; they had theirs while the task waited for an answer.
        """
        taskset = self._taskset_instance
        if taskset is None or type(self).wait_time is not User.wait_time:
            return
        wait: Callable[[], None] = taskset.wait
        seen = self.client.rested_ns

        def go_on() -> None:
            nonlocal seen
            rested = self.client.rested_ns
            if rested == seen:  # a task that sent nothing
                wait()
            elif self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            seen = rested

        taskset.wait = go_on  # type: ignore[method-assign]  # Locust has no hook

    def _begin(self, on_start: Callable[[], None]) -> None:
        self._hurry()
        with untimed():
            on_start()

    def _end(self, on_stop: Callable[[], None]) -> None:
        try:
            with untimed():
                on_stop()
        finally:
            self.client.close()


@lru_cache(maxsize=8)
def _trust(verify: bool | str) -> ssl.SSLContext:
    """Return what users share for TLS; reading the authorities takes a while."""
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
