"""Options that say who sends the load, for every command that sends some."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from loadstone.cli.options import with_options
from loadstone.config.crew import LOCUST_PORT, TOKEN_VARIABLE, WEB_PORT, CrewWish

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--workers", type=int, help="Processes on this machine that share the load; 1 by default."),
    click.option(
        "--expect-workers", type=int, default=0, help="Wait for so many of `loadstone worker` elsewhere."
    ),
    click.option(
        "--bind", metavar="HOST[:PORT]", help=f"Where they connect; 127.0.0.1:{LOCUST_PORT} by default."
    ),
    click.option("--target-host", metavar="HOST", help="Under which name they find the target."),
    click.option("--worker-timeout", default="2m", show_default=True, help="How long to wait for them."),
    click.option("--web", is_flag=True, help="Open Locust's web UI, with a before/after page."),
    click.option(
        "--web-port", type=int, default=WEB_PORT, show_default=True, help="Port of the web UI; 0: any."
    ),
)


def crew_options(function: F) -> F:
    """Add the options; the function gets them as one `crew`."""

    @functools.wraps(function)
    def with_crew(**given: Any) -> Any:  # noqa: ANN401 - as the function
        expected, target = given.pop("expect_workers"), given.pop("target_host")
        crew = CrewWish(
            workers=given.pop("workers"),
            expect_workers=expected,
            bind=given.pop("bind"),
            target_host=target,
            worker_timeout=given.pop("worker_timeout"),
            token=os.environ.get(TOKEN_VARIABLE, "") if expected else "",
            web=given.pop("web"),
            web_port=given.pop("web_port"),
            allowed_hosts=tuple(given.get("allow_host", ())) if target else (),
        )
        return function(crew=crew, **given)

    decorated: Any = with_crew
    result: F = with_options(decorated, _OPTIONS)
    return result
