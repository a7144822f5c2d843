"""Free TCP ports that neither outgoing connections nor other runs will take."""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path

from loadstone.errors import TargetError

LOWEST = 20_000
HIGHEST = 32_767
"""Above lies Linux' default range of ephemeral ports, where outgoing connections collide."""
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def candidates(range_file: Path = _RANGE_FILE) -> range:
    """Return the ports to choose from: above 20,000, below the ephemeral range."""
    try:
        low, high = (int(word) for word in range_file.read_text().split())
    except (OSError, ValueError):
        low, high = HIGHEST + 1, 60_999
    if low - LOWEST >= 1000:  # noqa: PLR2004 - enough room below for many runs
        return range(LOWEST, min(low, HIGHEST + 1))
    if high < 64_000:  # noqa: PLR2004 - enough room above
        return range(high + 1, 65_536)
    return range(max(1024, low - 10_000), low)


class Ports:
    """Hands out ports, each to one holder at a time, over all runs on this machine.

    A port is claimed through an abstract socket named after it, which the kernel
    frees when the harness dies; then it is tried with a bind on all addresses.
    """

    def __init__(self) -> None:
        self._claims: dict[int, socket.socket] = {}
        self._random = random.SystemRandom()
        self._lock = threading.Lock()

    def take(self) -> int:
        """Return a free port; raises TargetError when none is left."""
        choice = candidates()
        start = self._random.randrange(len(choice))
        with self._lock:
            for offset in range(len(choice)):
                port = choice[(start + offset) % len(choice)]
                if port not in self._claims and self._claim(port):
                    return port
        raise TargetError(
            f"no free TCP port between {choice.start} and {choice.stop - 1}",
            remedy="stop programs that listen there, or widen the room below net.ipv4.ip_local_port_range",
        )

    def give_back(self, port: int) -> None:
        """Release a port that `take` returned."""
        claim = self._claims.pop(port, None)
        if claim is not None:
            claim.close()

    def close(self) -> None:
        """Release all ports."""
        for port in list(self._claims):
            self.give_back(port)

    def _claim(self, port: int) -> bool:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0loadstone-port-{port}")
        except OSError:
            claim.close()
            return False
        if not is_free(port):
            claim.close()
            return False
        self._claims[port] = claim
        return True


def is_free(port: int) -> bool:
    """Tell whether nothing is bound to the port on any IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
