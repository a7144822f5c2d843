"""A run that goes on, as far as it has got: what the terminal and the live page show of it."""

from __future__ import annotations

import msgspec

from loadstone.record.load_record import LoadPlan
from loadstone.record.load_result import EndpointLoad, SecondLoad, ThresholdResult
from loadstone.record.result import Contrast


class Counted(msgspec.Struct, kw_only=True):
    """Queries per request of one endpoint, by variant; None: not known."""

    endpoint: str
    queries: list[float | None]


class Going(msgspec.Struct, kw_only=True):
    """The state of a run at one moment."""

    title: str = ""
    told: str = ""
    """The plan in words."""
    step: str = "starting"
    labels: list[str] = []
    """Of the variants, before first."""
    names: list[str] = []
    counted: list[Counted] = []
    payloads: tuple[int, int] | None = None
    """How many were equal, of how many; None: not probed yet."""
    looks: list[int] = []
    anytime: bool = False
    """A look after every generation from the first look on, and no planned end."""
    most: int = 0
    """Generations that the plan has at most; 0: nothing is planned yet."""
    planned_turn_s: float = 0.0
    """What a generation takes by the plan."""
    budget_s: float = 0.0
    first: int = 0
    """Generations that an earlier part of the run had measured."""
    begun: int = 0
    """Generations that have begun."""
    measured: int = 0
    """Generations at the last look."""
    looked_s: float = 0.0
    """Seconds from the first generation's begin to the last look."""
    elapsed_s: float = 0.0
    """The same until now."""
    contrasts: list[Contrast] = []
    """Of the last look: what decides."""


class LoadGoing(msgspec.Struct, kw_only=True):
    """The state of a run under offered load at one moment."""

    step: str = "starting"
    plan: LoadPlan | None = None
    """None: not known yet."""
    elapsed_s: int = 0
    """Seconds of the plan that are over."""
    users: int = 0
    backlog: int = 0
    overall: EndpointLoad | None = None
    """None: nothing is measured yet."""
    endpoints: list[EndpointLoad] = []
    seconds: list[SecondLoad] = []
    thresholds: list[ThresholdResult] = []


class LoadNews(msgspec.Struct, kw_only=True):
    """What a run under offered load tells since it told last."""

    step: str = ""
    """Empty: as before."""
    plan: LoadPlan | None = None
    elapsed_s: int = 0
    """0: no second is over."""
    users: int = 0
    backlog: int = 0
    requests: bytes = b""
    """What ended in the seconds that are new: a packed recording."""


class SearchWindow(msgspec.Struct, kw_only=True, frozen=True):
    """One window of a search for capacity, once it is judged."""

    label: str
    rate_rps: float
    trial: str
    """Whether it kept the objective, broke it, or does not count."""
    note: str = ""


class SearchGoing(msgspec.Struct, kw_only=True):
    """The state of a search for capacity at one moment."""

    title: str = ""
    objective: str = ""
    step: str = "starting"
    share: float = 0.0
    """Of the budget that is spent."""
    windows: list[SearchWindow] = []
    """All so far, the earliest first."""
    found: list[tuple[str, str]] = []
    """(label, capacity) of every search that is over."""
    just_found: bool = False
    """Whether the last of them is what is new."""
