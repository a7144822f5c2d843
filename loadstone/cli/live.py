"""Options that show a run in a browser while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from loadstone.cli.options import grouped
from loadstone.cli.progress import describe_plan, progress_view
from loadstone.cli.shared import err
from loadstone.errors import ConfigurationError
from loadstone.lanes.follow import Together
from loadstone.lanes.view import View
from loadstone.telemetry.live import ComparisonView, Page, live_page

Over = Callable[[str], None]
"""Takes the path of the finished report."""
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class LiveWish:
    """Whether a run is shown in a browser, and on which port; 0: any."""

    show: bool = False
    port: int = 0


live_options = grouped(
    "live",
    LiveWish,
    {
        "live": click.option(
            "--live",
            is_flag=True,
            help="Show the run in a browser while it goes on; the address is printed on standard error.",
        ),
        "live_port": click.option(
            "--live-port",
            type=click.IntRange(0, MOST_PORT),
            default=0,
            show_default="any that is free",
            help="Port of that page, on loopback alone.",
        ),
    },
)
"""Adds the options; the function gets them as one `live`."""


@contextmanager
def watched(wish: LiveWish, *, quiet: bool) -> Iterator[tuple[View, Over]]:
    """Yield the view of a comparison, and what takes its report; the page stays until browsers have that.

    Raises:
        ConfigurationError: the page cannot be served.
    """
    with page_of(wish) as page, progress_view(quiet=quiet) as view:
        if page is None:
            yield view, _nobody
        else:
            yield Together(view, ComparisonView(page, describe_plan)), page.over


@contextmanager
def page_of(wish: LiveWish) -> Iterator[Page | None]:
    """Yield the page of a run and print its address; None where none is asked for.

    Raises:
        ConfigurationError: the page cannot be served.
    """
    if not wish.show:
        if wish.port:
            raise ConfigurationError("no page is asked for", remedy="add --live")
        yield None
        return
    with live_page(wish.port) as page:
        err().print(f"watch it at {page.address}", highlight=False, soft_wrap=True)
        yield page


def _nobody(report: str) -> None:
    """Tell nobody."""
    del report
