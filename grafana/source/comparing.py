"""Before and after: one run, both variants drawn over each other, and what the run concludes."""

from __future__ import annotations

from grafana.source.kit import Board, Panel, Query, Variable

RUN = 'run="$run"'
VERDICT = Panel(
    title="Verdict: good is improved or equivalent",
    text="The run's verdict once it has ended: 1 for the one that holds. Invalid means that the "
    "measurement must not be believed; read the checks in the run's own report.",
    unit="none",
    queries=(Query(f"loadstone_verdict{{{RUN}}} == 1", "{{verdict}}"),),
    kind="number",
    width=6,
)
GENERATION = Panel(
    title="Generation: good is rising steadily",
    text="How many times every variant was started afresh. Effects appear from the sixth on: a generation "
    "is what the verdict counts, and not a request.",
    unit="none",
    queries=(Query(f"loadstone_generation{{{RUN}}}", "generation"),),
    kind="number",
    width=6,
)
EFFECTS = Panel(
    title="Change against before: good is an interval that lies below zero",
    text="Estimate and interval of every deciding metric at the last look, as a ratio (-0.25 is a quarter "
    "less) or a difference. An interval that holds zero and reaches beyond the margin decides nothing "
    "yet.",
    unit="none",
    queries=(Query(f'loadstone_effect{{{RUN},endpoint="all"}}', "{{metric}} {{bound}}"),),
    kind="table",
)
NARROWING = Panel(
    title="Interval of each look: good is narrowing, and no longer holding zero",
    text="How estimate and interval of the chosen metric moved with each look. One that narrows and stays "
    "where it is can be trusted; one that wanders means that something else changes beside the "
    "variant.",
    unit="percentunit",
    queries=(
        Query(
            f'loadstone_effect{{{RUN},endpoint="all",metric="$metric",kind="ratio"}}', "{{variant}} {{bound}}"
        ),
    ),
    least=None,
)
P99 = Panel(
    title="p99 response time by variant: good is after below before",
    text="From the intended start to the last byte, so that waiting in a queue counts. The lines take "
    "turns, as the blocks of the variants do. Read from buckets: off by less than a factor of 1.42.",
    unit="s",
    queries=(Query(f"run:loadstone_response_seconds:p99_10s{{{RUN}}}", "{{variant}}"),),
)
P50 = Panel(
    title="Median response time by variant: good is after below before",
    text="Where p99 moves and the median does not, few requests pay: look for locks, cold caches, garbage "
    "collection.",
    unit="s",
    queries=(Query(f"run:loadstone_response_seconds:p50_10s{{{RUN}}}", "{{variant}}"),),
)
RATE = Panel(
    title="Requests answered by variant: good is alike",
    text="Both variants are offered the same plan. Where one answers fewer, it is saturated, and its "
    "response times say how long its queue is.",
    unit="reqps",
    queries=(Query(f"run:loadstone_requests:rate10s{{{RUN}}}", "{{variant}}"),),
)
ERRORS = Panel(
    title="Failed requests by variant: good is zero, or alike",
    text="Share of requests with an error, a timeout, a failed check or a 4xx. A faster variant that fails "
    "more is no improvement.",
    unit="percentunit",
    queries=(Query(f"run:loadstone_errors:ratio10s{{{RUN}}}", "{{variant}}"),),
    limit=0.01,
)
QUERIES = Panel(
    title="SQL statements per request by variant: good is fewer, and constant",
    text="What the app counts itself. A number that grows with the length of a page is an N+1.",
    unit="none",
    queries=(Query("variant:shop_sql_queries:per_request10s", "{{variant}}"),),
)
HITS = Panel(
    title="Answers from the cache per request by variant: good is high where the cache is on",
    text="Zero with the cache off. A cached variant that is no faster is not served by its cache.",
    unit="none",
    queries=(Query("variant:shop_cache_hits:per_request10s", "{{variant}}"),),
)
BOARD = Board(
    uid="loadstone-comparing",
    title="Loadstone: before and after",
    text="One comparison: pick a run, and see both variants over each other, with what the run concludes.",
    rows=(
        ("What the run concludes", (VERDICT, GENERATION, EFFECTS, NARROWING)),
        ("What users would see", (P99, P50, RATE, ERRORS)),
        ("Why", (QUERIES, HITS)),
    ),
    variables=(
        Variable("run", "Run", "label_values(loadstone_run_info, run)", several=False),
        Variable("metric", "Metric", 'label_values(loadstone_effect{run="$run"}, metric)', several=False),
    ),
    marks=(Query(f"changes(loadstone_generation{{{RUN}}}[2s]) > 0", "Generations"),),
)
