"""Progress of a run as plain lines, for logs."""

from __future__ import annotations

from rich.console import Console


class StepLines:
    """A line for each step, told once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def step(self, text: str, share: float | None = None) -> None:
        """Tell what has begun, once."""
        del share
        if text != self._last:
            self._last = text
            self.say(text)

    def say(self, text: str) -> None:
        """Write a line as it is."""
        self._console.print(text, markup=False, soft_wrap=True)
