"""A worker of `percentiles`: `waiters.py PORT USERS`; waits as JSON come in, a packed recording goes out."""

import json
import sys
import time

import gevent
from locust.env import Environment

from loadstone.workload.client import LeanHttpUser
from loadstone.workload.recorder import Recorder
from loadstone.workload.reporting import reporting_of

PORT, USERS = int(sys.argv[1]), int(sys.argv[2])


class Waiter(LeanHttpUser):
    """Asks to be kept waiting."""

    host = f"http://127.0.0.1:{PORT}"

    def wait_through(self, waits: list[float]) -> None:
        """Ask for one wait after the other."""
        for seconds in waits:
            self.client.get(f"/{seconds:.6f}", name="/wait")


def main() -> None:
    """Share the waits among users, and write what was recorded."""
    environment = Environment(user_classes=[Waiter])
    recorder = Recorder(time.perf_counter_ns())
    users = [Waiter(environment) for _ in range(USERS)]
    for user in users:
        user.client.get("/0", name="/warm")  # connected before it counts
    reporting_of(environment).record_into(recorder)
    waits = json.load(sys.stdin)
    jobs = [gevent.spawn(user.wait_through, waits[number::USERS]) for number, user in enumerate(users)]
    gevent.joinall(jobs, raise_error=True)
    sys.stdout.buffer.write(recorder.take().pack())


if __name__ == "__main__":
    main()
