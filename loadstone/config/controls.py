"""Controls: copies of before beside what is judged, to show that a run can be silent and can speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loadstone.config.model import Variant
from loadstone.errors import ConfigurationError
from loadstone.record.plan import Control


def with_controls(
    variants: Sequence[Variant], *, in_flight: int, lanes: Sequence[str]
) -> tuple[Variant, ...]:
    """Return `variants`, before first, and both controls behind them.

    Raises:
        ConfigurationError: nothing is timed, or not one request at a time.
    """
    if "pair" not in lanes:
        raise ConfigurationError(
            "controls have nothing to show where nothing is timed", remedy="leave out --controls or --lane"
        )
    if in_flight > 1:
        raise ConfigurationError(
            f"controls cannot run with {in_flight} pairs in flight",
            cause="their extra cost is spun between two requests, and would hold up the others",
            remedy="leave out --controls or --in-flight",
        )
    before = variants[0]
    copies = (
        replace(before, name="copy", label=f"{before.label} (a copy)", control=Control.SILENCE),
        replace(before, name="spiked", label=f"{before.label} (slowed down)", control=Control.SPEECH),
    )
    return (*variants, *copies)
