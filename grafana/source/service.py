"""Service: rate, errors and duration of requests; use, saturation and errors of what serves them."""

from __future__ import annotations

from grafana.source.kit import Board, Panel, Query, Variable

V = 'variant=~"$variant"'
RATE = Panel(
    title="Requests a second by variant: good follows the plan",
    text="What the shop answered. Below what was offered, it is saturated; see the load generator's "
    "dashboard.",
    unit="reqps",
    queries=(Query(f"variant:shop_http_requests:rate10s{{{V}}}", "{{variant}}"),),
)
ROUTES = Panel(
    title="Requests a second by route: good is the mix that was meant",
    text="Templates of addresses, never paths. A route that is missing is not tested.",
    unit="reqps",
    queries=(Query(f"route:shop_http_requests:rate10s{{{V}}}", "{{variant}} {{method}} {{route}}"),),
)
ERRORS = Panel(
    title="Errors: good is below 0.1%",
    text="Share of requests that ended with a 5xx. The objective of 99.9% allows one in a thousand.",
    unit="percentunit",
    queries=(Query(f"variant:shop_http_errors:ratio10s{{{V}}}", "{{variant}}"),),
    limit=0.001,
)
ERROR_ROUTES = Panel(
    title="Errors by route: good is all zero",
    text="5xx a second. One route alone points at its code; all at once point at the database, the cache "
    "or a deploy.",
    unit="reqps",
    queries=(
        Query(
            f'sum by (variant, route) (rate(shop_http_requests_total{{status="5xx",{V}}}[$__rate_interval]))',
            "{{variant}} {{route}}",
        ),
    ),
)
DURATIONS = Panel(
    title="Time to answer: good is p99 below 316 ms",
    text="Median, p95 and p99 in the server, without waiting in front of it. Buckets are 1.78 times apart.",
    unit="s",
    queries=tuple(
        Query(f"variant:shop_http_request_duration_seconds:{q}_10s{{{V}}}", "{{variant}} " + q)
        for q in ("p50", "p95", "p99")
    ),
    limit=0.316,
)
SLOW = Panel(
    title="Slower than 316 ms in the last minute: good is below 1%",
    text="The objective of latency: 99% of requests within 316 ms. Above the line its budget burns.",
    unit="percentunit",
    queries=(Query(f"variant:shop_http_slow:ratio1m{{{V}}}", "{{variant}}"),),
    limit=0.01,
)
UP = Panel(
    title="Targets up: good is 1 for each",
    text="Whether a server answers scrapes. At 0 it ended, hangs, or has every thread busy.",
    unit="none",
    queries=(Query(f'up{{job="shop",{V}}}', "{{variant}} {{instance}}"),),
)
IN_FLIGHT = Panel(
    title="Requests in flight: good is below the number of threads",
    text="Sampled each second, beside the number of threads. At that number the next request waits.",
    unit="none",
    queries=(
        Query(f"sum by (variant) (shop_http_requests_in_flight{{{V}}})", "{{variant}} in flight"),
        Query(f"sum by (variant) (shop_threads{{{V}}})", "{{variant}} threads"),
    ),
)
SATURATION = Panel(
    title="Saturation: good is below 80% of the threads busy",
    text="Mean share of busy threads, by Little's law from the time spent on requests. Beyond 80% queues "
    "grow fast.",
    unit="percentunit",
    queries=(Query(f"variant:shop_threads:saturation10s{{{V}}}", "{{variant}}"),),
    limit=0.8,
)
WORKERS = Panel(
    title="Worker processes started: good is flat",
    text="Each step beyond the first is a worker that died and was replaced: killed, out of memory, or "
    "timed out.",
    unit="none",
    queries=(Query(f"sum by (variant) (shop_worker_starts_total{{{V}}})", "{{variant}}"),),
)
THROTTLED = Panel(
    title="Refused as too many: good is zero, unless that is what is tested",
    text="Share of requests answered 429. A refused request is fast: latencies look better than they are.",
    unit="percentunit",
    queries=(Query(f"variant:shop_throttled_requests:ratio10s{{{V}}}", "{{variant}}"),),
)
CPU = Panel(
    title="Machine's CPU in use: good is below 80%",
    text="Of all cores, from the node exporter. Above that, variants and load generator disturb each other.",
    unit="percentunit",
    queries=(
        Query(
            '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
            "{{instance}}",
        ),
    ),
    limit=0.8,
)
MEMORY = Panel(
    title="Machine's memory in use: good is below 90%, and flat",
    text="A steady rise over a long run is a leak.",
    unit="percentunit",
    queries=(Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}"),),
    limit=0.9,
)
BOARD = Board(
    uid="loadstone-service",
    title="Loadstone: service",
    text="The shop's requests (rate, errors, duration), and what serves them (use, saturation, errors).",
    rows=(
        ("Rate, errors, duration", (RATE, ROUTES, ERRORS, ERROR_ROUTES, DURATIONS, SLOW)),
        ("Use, saturation, errors", (UP, IN_FLIGHT, SATURATION, WORKERS, THROTTLED)),
        ("Machine", (CPU, MEMORY)),
    ),
    variables=(Variable("variant", "Variant", "label_values(shop_threads, variant)"),),
)
