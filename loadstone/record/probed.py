"""What the probe lane saw, as it stands in a result: exact facts, payloads."""

from __future__ import annotations

from loadstone.record.base import Record
from loadstone.stats.verdicts import Verdict


class Total(Record, frozen=True, kw_only=True):
    """A count over all probed requests of one endpoint on one variant."""

    total: int
    requests: int


class StatementFact(Record, frozen=True, kw_only=True):
    """One normalised statement of an endpoint on one variant: means per first request."""

    sql: str
    calls: float
    rows: float
    wait_us: float
    """From the statement to the end of its result, at the tap: a diagnosis, on an otherwise idle machine."""
    source: str = ""
    """`FILE:LINE` that sent it, where the app says so in a comment; empty where not, or from several."""


class Accounting(Record, frozen=True, kw_only=True):
    """Where the time of an endpoint's first requests went in the probe: means per request, in microseconds.

    What remains of `total_us` is the server's own work, and what nothing here sees.
    Seen through taps, one request at a time: shares are worth more than amounts.
    """

    requests: int
    total_us: float
    """From the send to the last byte."""
    database_us: float | None
    """Waiting for PostgreSQL, control statements included; None where it could not be seen."""
    cache_us: float | None
    """Waiting for Redis; None where it could not be seen."""


class ProbeFacts(Record, frozen=True, kw_only=True):
    """Exact facts per request of one endpoint on one variant; medians where requests differ."""

    endpoint: str
    variant: str
    requests: int
    queries_first: float | None
    queries_repeat: float | None
    """None where unavailable or, for the repeat, where the request is a write."""
    rows: float | None
    response_bytes: float
    cache_commands_first: float | None
    cache_commands_repeat: float | None
    statuses: list[int]
    statements: list[tuple[str, float]] = []
    """(normalised SQL, calls per first request), most frequent first."""
    totals: dict[str, Total] = {}
    """Exact sums by fact (`FactChange.fact`), where every request could be counted."""
    statement_facts: list[StatementFact] = []
    """As `statements`, with rows and time."""
    accounting: Accounting | None = None
    """None where it was not recorded."""


class FactChange(Record, frozen=True, kw_only=True):
    """One exact count of one endpoint, after against before: the same requests, so no error bars.

    `fact` is `queries`, `queries_repeat` (of a request sent a second time), `rows`,
    `cache_commands`, `cache_commands_repeat`, `cache_misses` (as the app
    says itself, in Server-Timing), `response_bytes` or, of steps that are
    several requests, `exchanges`. More is *regressed*, fewer *improved*, the same
    *equivalent*.
    """

    fact: str
    unit: str
    endpoint: str
    baseline: str
    variant: str
    gating: bool
    """Whether it decides: queries do in a run of the probe lane alone."""
    before: float
    """Mean per request."""
    after: float
    requests: int
    """Probed requests of `variant` that were counted."""
    verdict: Verdict


class PayloadDifference(Record, frozen=True, kw_only=True):
    """One request whose payloads differ beyond the declared rules."""

    endpoint: str
    request: str
    path: str
    """Where in the payload, such as `$.results[3].price`."""
    before: str
    after: str
    diff: str = ""


class PayloadCheck(Record, frozen=True, kw_only=True):
    """Do the variants return the same thing?"""

    checked: int
    equal: int
    rules: list[str]
    """Named rules that were applied, with what they allow."""
    differences: list[PayloadDifference]


class PlanNode(Record, frozen=True, kw_only=True):
    """One node of a plan, as it ran."""

    depth: int
    name: str
    """Such as `Index Scan using product_pkey on product`."""
    rows: float
    """Rows that it gave, over all its loops."""
    loops: float
    removed: float = 0.0
    """Rows that it read and a condition dropped."""
    buffers: int = 0
    """Pages touched, those of the nodes below included."""


class PlanFact(Record, frozen=True, kw_only=True):
    """The plan that a variant's database chose for one example of a statement, and how it ran."""

    endpoint: str
    variant: str
    sql: str
    """Normalised."""
    nodes: list[PlanNode] = []
    """From the root, depth first."""
    buffers: int = 0
    time_us: float = 0.0
    error: str = ""
    """Why there is none."""


class ProbedRequest(Record, frozen=True, kw_only=True):
    """One of a variant's slowest requests in the probe, and what it did; times through taps."""

    endpoint: str
    variant: str
    method: str
    target: str
    """Path and query, as sent; cut where it is very long."""
    traceparent: str
    """The trace context that it carried (W3C), to find it in the target's own logs and traces."""
    repeat: bool
    """Whether the same request had just been sent before."""
    status: int
    service_us: int
    database_us: float | None
    cache_us: float | None
    cache_commands: int | None
    statements: list[StatementFact] = []
    """Of this request alone, those that took longest first; control statements left out."""


class Footprint(Record, frozen=True, kw_only=True):
    """What a variant holds after it was probed: one reading, in bytes. None: not ours to read."""

    variant: str
    requests: int
    """That the probe sent to it, repeats included."""
    memory_bytes: int | None
    """Of the server's processes; pages that they share are counted once."""
    table_bytes: int | None
    index_bytes: int | None
    cache_bytes: int | None
    """What Redis uses."""
    log_bytes: int | None
    """What the probe's requests made the database write to its write-ahead log."""


class Probe(Record, frozen=True, kw_only=True):
    """What the probe lane saw."""

    facts: list[ProbeFacts]
    payload: PayloadCheck
    sql_source: str = "wire tap"
    plans: list[PlanFact] = []
    """Of statements that took most of the time, on data in the state that the probe left."""
    slowest: list[ProbedRequest] = []
    """At most 20 of each variant, the slowest first."""
    footprints: list[Footprint] = []
