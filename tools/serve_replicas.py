"""Serve the shop with SHOP_REPLICAS servers behind nginx: `python tools/serve_replicas.py HOST:PORT`.

loadstone.replicas.toml runs it, so that
`loadstone capacity --processes 1,2,4` searches at 1, 2 and 4 of them.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from fleet import POLL_S, Fleet, variables


def main() -> int:
    """Serve until told to end, or until one of them ends."""
    count = int(os.environ.get("SHOP_REPLICAS", "1"))
    shop = Path(__file__).parents[1] / "target_app"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        fleet = Fleet(Path(folder), sys.argv[1])
        names = [f"server-{number}" for number in range(1, count + 1)]
        try:
            for name in names:
                fleet.start(name, shop, variables(WEB_CONCURRENCY="1"))
            for name in names:
                fleet.await_ready(name)
            fleet.route(names)
            while all(each.poll() is None for each in (*fleet.servers.values(), fleet.front) if each):
                time.sleep(POLL_S)
        finally:
            fleet.close()
    sys.stderr.write("a server, or nginx, ended by itself\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
