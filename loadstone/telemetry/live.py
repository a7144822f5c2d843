"""A page that shows a run while it goes on, served by a process of its own.

What is measured is kept clear of it. The process has come up before anything else
begins, and has the lowest priority there is (SCHED_IDLE) from then on. It leaves the
cores that variants are bound to where others are left. It works when it is told
something, or when a browser opens the page, and has no clock of its own. Of a comparison
it is told when a generation begins, before its servers start, and when a look was taken;
while pairs are timed it is told nothing, and open pages neither ask nor draw. Of a run
under offered load it is told every second what that second brought; of a search for
capacity, what each window was.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.lanes.follow import Follower
from loadstone.record.going import Going, LoadNews, SearchGoing, SearchWindow
from loadstone.record.load_record import LoadPlan
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.recording import Recording
from loadstone.record.result import Contrast
from loadstone.target.cores import usable_cores
from loadstone.workload.load_protocol import Second

HOST = "127.0.0.1"
LINGER_S = 30.0
"""How long open pages may take to fetch the finished report."""
LENGTH_BYTES = 4


class Told(msgspec.Struct, kw_only=True):
    """One message to the server: MessagePack behind its length in four bytes."""

    going: Going | None = None
    """How far a comparison is."""
    news: LoadNews | None = None
    """What a load run has to tell."""
    search: SearchGoing | None = None
    """How far a search for capacity is."""
    cores: list[int] = []
    """Where it may run from now on; empty: as before."""
    report: str | None = None
    """Path of the finished report: the run is over."""


class Page:
    """The page's process, as a run sees it; every method but `close` and `kill` returns at once.

    Args:
        process: the server; it reads `Told` from its standard input.
        address: where browsers find it.
    """

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.address = address
        self._process = process
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="live-page", daemon=True)
        self._writer.start()

    def tell(self, told: Told) -> None:
        """Send a message."""
        message = msgspec.msgpack.encode(told)
        self._messages.put(len(message).to_bytes(LENGTH_BYTES, "big") + message)

    def over(self, report: str) -> None:
        """Put the finished report in the page's place."""
        self.tell(Told(report=report))

    def close(self) -> None:
        """Let open pages fetch what is new, and end the server."""
        self._messages.put(None)
        self._writer.join(LINGER_S)
        try:
            self._process.wait(2 * LINGER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End the server at once."""
        self._process.kill()
        self._process.wait()

    def _write(self) -> None:
        """Write what comes; in a thread, as a process of the lowest priority may take long to read it."""
        pipe = self._process.stdin
        if pipe is None:
            return
        with suppress(OSError), contextlib.closing(pipe):
            while (message := self._messages.get()) is not None:
                pipe.write(message)
                pipe.flush()


class ComparisonView:
    """A view of a comparison that keeps its page current; every method returns at once.

    Args:
        page: which is told.
        describe: puts a plan in words.
    """

    def __init__(self, page: Page, describe: Callable[[Plan], str]) -> None:
        self._page = page
        self._describe = describe
        self._follower = Follower()

    def planned(self, plan: Plan) -> None:
        """Show the plan, and move off the cores on which it is carried out."""
        self._follower.planned(plan, self._describe(plan))
        self._page.tell(Told(going=self._follower.going, cores=spare_cores(plan)))

    def step(self, text: str, share: float | None = None) -> None:
        """Show what has begun."""
        if self._follower.step(text, share):
            self._show()

    def probed(self, probe: Probe) -> None:
        """Show what the probe counted."""
        self._follower.probed(probe)
        self._show()

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Show that a generation begins; whatever is told while it is timed goes no further."""
        if self._follower.measuring(generation, share, pairs):
            self._show()

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Show a look."""
        self._follower.looked(generation, contrasts)
        self._show()

    def _show(self) -> None:
        self._page.tell(Told(going=self._follower.going))


class OfferView:
    """A view of a run under offered load that keeps its page current; every method returns at once.

    Of each second it packs what is new, and no more: the page's own process adds it up.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._told_s = 0

    def planned(self, plan: LoadPlan) -> None:
        """Show the plan."""
        self._page.tell(Told(news=LoadNews(plan=plan)))

    def step(self, text: str, share: float | None = None) -> None:
        """Show what has begun."""
        del share
        self._page.tell(Told(news=LoadNews(step=text)))

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """Show a second that is over."""
        del planned
        part = requests.between(self._told_s, second.elapsed_s)
        self._told_s = second.elapsed_s
        news = LoadNews(
            elapsed_s=second.elapsed_s, users=second.users, backlog=second.backlog, requests=part.pack()
        )
        self._page.tell(Told(news=news))


class SearchView:
    """A view of a search for capacity that keeps its page current; every method returns at once.

    Args:
        page: which is told.
        title: what is searched.
        objective: what must hold, as it was written.
    """

    def __init__(self, page: Page, title: str, objective: str) -> None:
        self._page = page
        self._told = SearchGoing(title=title, objective=objective)

    def step(self, text: str, share: float | None = None) -> None:
        """Show what has begun."""
        del share
        self._told.step = text
        self._show()

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """Show which window begins."""
        self._told.step, self._told.share = f"now {label} at {rate_rps:.4g} requests/s", share
        self._show()

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """Show what a window was."""
        self._told.windows.append(SearchWindow(label=label, rate_rps=rate_rps, trial=trial, note=note))
        self._show()

    def found(self, label: str, text: str) -> None:
        """Show what a search found."""
        self._told.found.append((label, text))
        self._told.just_found = True
        self._show()

    def _show(self) -> None:
        self._page.tell(Told(search=self._told))
        self._told.just_found = False


def spare_cores(plan: Plan) -> list[int]:
    """Return the cores that no variant of a plan is bound to; empty where there is none, or none is bound."""
    if not plan.pinned:
        return []
    cores = usable_cores()
    return cores[2 * plan.tracks :] or cores[plan.tracks :]  # the generators' only where there are no others


@contextmanager
def live_page(port: int) -> Iterator[Page]:
    """Serve a page on this machine while the block runs, and until open pages have its end.

    Args:
        port: 0: any.

    Raises:
        ConfigurationError: the port is taken.
        MeasurementError: the server does not come up.
    """
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigurationError(
            f"{HOST}:{port} cannot show the run",
            cause=str(error),
            remedy="choose another --live-port, or leave it out for any that is free",
        ) from error
    with listener:
        process = _start(listener)
        page = Page(process, f"http://{HOST}:{listener.getsockname()[1]}/")
    try:
        yield page
    except BaseException:
        page.kill()
        raise
    page.close()


def _start(listener: socket.socket) -> subprocess.Popen[bytes]:
    """Start the server on a socket that listens already, so that its address holds from the start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadstone.telemetry.live_server", str(listener.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(listener.fileno(),),
        start_new_session=True,  # Ctrl-C ends the run, and the run ends this
    )
    ready = process.stdout.readline() if process.stdout else b""
    if not ready:
        raise MeasurementError(
            "the live page could not be served", cause=f"its process ended with {process.wait()}"
        )
    return process
