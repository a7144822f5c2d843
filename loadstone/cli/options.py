"""Options that several commands share, and how a group of them becomes one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[Any], Any]
_RUN = (
    click.option("--reports", type=click.Path(path_type=Path, file_okay=False), help="Folder of runs."),
    click.option("--database-url", envvar="LOADSTONE_DATABASE_URL", help="Use this PostgreSQL server."),
    click.option(
        "--redis-url", envvar="LOADSTONE_REDIS_URL", help="Use this Redis database (empty or ours)."
    ),
    click.option(
        "--allow-host",
        multiple=True,
        metavar="HOST",
        help="Confirm a host beyond loopback that compare.allowed_hosts names: of services, of a target "
        "for workers elsewhere, of a deployment.",
    ),
    click.option("--quiet", "-q", is_flag=True, help="No progress view."),
)


def run_options(function: F) -> F:
    """Add where runs are kept, whose services are used, and whether progress is shown."""
    return with_options(function, _RUN)


def with_options(function: F, options: Iterable[Option]) -> F:
    """Add options, shown in this order."""
    decorated: Any = function
    for option in reversed([*options]):
        decorated = option(decorated)
    result: F = decorated
    return result


def grouped(name: str, make: Callable[..., object], given: dict[str, Option]) -> Callable[[F], F]:
    """Return a decorator that adds options, which the function gets as one value.

    Args:
        name: by which the function takes it.
        make: called with the options' values, in their order.
        given: the options, by the names of their values.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def with_group(**values: Any) -> Any:  # noqa: ANN401 - as the function
            own = [values.pop(one) for one in given]
            return function(**{name: make(*own)}, **values)

        decorated: Any = with_group
        result: F = with_options(decorated, given.values())
        return result

    return decorate
