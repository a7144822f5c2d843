"""How a run under offered load stands, from its plan and what each second brought."""

from __future__ import annotations

from loadstone.record.going import LoadGoing, LoadNews
from loadstone.record.load_record import LoadPlan
from loadstone.record.load_result import SecondLoad
from loadstone.record.recording import Recording, Window
from loadstone.verdict.offered import Gate, endpoint_load, stretches, threshold_result


class LoadSoFar:
    """Adds up what a run tells; what it costs does not grow with the run.

    Seconds are judged by the thresholds as they come, as in the run itself; endpoints are
    told over all that has come.
    """

    def __init__(self) -> None:
        self._going = LoadGoing()
        self._start()

    def take(self, news: LoadNews) -> LoadGoing:
        """Take what is new, and return how the run stands; raises `MeasurementError` where it is damaged."""
        if news.step:
            self._going.step = news.step
        if news.plan is not None:
            self._going = LoadGoing(step=self._going.step, plan=news.plan)
            self._start(news.plan)
        if news.elapsed_s and self._gate is not None:
            self._add(news, Recording.unpack(news.requests), self._gate)
        return self._told()

    def _start(self, plan: LoadPlan | None = None) -> None:
        self._gate = None if plan is None else Gate(plan)
        self._whole = Recording()
        self._known: dict[Window, SecondLoad] = {}

    def _add(self, news: LoadNews, brought: Recording, gate: Gate) -> None:
        gate.feed(brought, news.elapsed_s)
        self._whole.add(brought)
        self._going.elapsed_s = news.elapsed_s
        self._going.users, self._going.backlog = news.users, news.backlog

    def _told(self) -> LoadGoing:
        """Return a state that does not change any more: pages are drawn in threads of their own."""
        going, whole, gate = self._going, self._whole, self._gate
        names = sorted({key.endpoint for key in whole.cells})
        measured = bool(going.elapsed_s)
        return LoadGoing(
            step=going.step,
            plan=going.plan,
            elapsed_s=going.elapsed_s,
            users=going.users,
            backlog=going.backlog,
            overall=endpoint_load(whole, None, going.elapsed_s) if measured else None,
            endpoints=[endpoint_load(whole, name, going.elapsed_s) for name in names],
            seconds=stretches(whole, gate.planned, going.elapsed_s, self._known) if gate else [],
            thresholds=[threshold_result(one) for one in gate.findings()] if gate else [],
        )
