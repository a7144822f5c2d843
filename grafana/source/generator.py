"""Load generator: does it do what was planned, or is it itself what limits?"""

from __future__ import annotations

from grafana.source.kit import Board, Panel, Query, Variable

R = 'run=~"$run"'
OFFERED = Panel(
    title="Offered and handed out: good is one line over the other",
    text="Arrivals a second of the plan, and those that were handed out to users. Where the second falls "
    "behind, the generator is late: see its lag.",
    unit="reqps",
    queries=(
        Query(f"run:loadstone_offered:rate10s{{{R}}}", "{{variant}} offered"),
        Query(f"run:loadstone_achieved:rate10s{{{R}}}", "{{variant}} handed out"),
    ),
)
REQUESTS = Panel(
    title="Requests by outcome: good is ok alone",
    text="An arrival may send several requests. `not sent` means that the backlog was full; `transport "
    "error` that connections broke, as when a worker dies.",
    unit="reqps",
    queries=(
        Query(
            f"sum by (variant, outcome) (rate(loadstone_requests_total{{{R}}}[$__rate_interval]))",
            "{{variant}} {{outcome}}",
        ),
    ),
)
LAG = Panel(
    title="Lag of handing out, p99: good is below 10 ms",
    text="By how much work was handed out late: the generator's own fault. Above the line it measures "
    "itself; give it a core of its own, more workers, or a lower rate.",
    unit="s",
    queries=(Query(f"run:loadstone_dispatch_lag_seconds:p99_10s{{{R}}}", "{{variant}}"),),
    limit=0.01,
)
SEND_LAG = Panel(
    title="From intended start to send, p99: good is as small as the lag of handing out",
    text="Where it is larger, arrivals waited for a free user: the target is slow, or the pool of users "
    "too small.",
    unit="s",
    queries=(Query(f"run:loadstone_lag_seconds:p99_10s{{{R}}}", "{{variant}}"),),
)
BOTH = Panel(
    title="Response and service time, p99: good is one line over the other",
    text="Service time counts from the send, response time from the intended start. Their difference is "
    "the queue that a closed loop would hide.",
    unit="s",
    queries=(
        Query(f"run:loadstone_response_seconds:p99_10s{{{R}}}", "{{variant}} response"),
        Query(f"run:loadstone_service_seconds:p99_10s{{{R}}}", "{{variant}} service"),
    ),
)
BUSY = Panel(
    title="CPU of the busiest worker: good is below 80% of a core",
    text="A worker is one process on one core. Near 100% its own queue is measured: use more workers.",
    unit="percentunit",
    queries=(Query(f"run:loadstone_generator_busy:ratio10s{{{R}}}", "{{run}}"),),
    limit=0.8,
)
USED = Panel(
    title="Used of what the generator can send: good is below 60%",
    text="Requests a second, of what the self-test before the run found that all workers can send together.",
    unit="percentunit",
    queries=(Query(f"run:loadstone_generator_used:ratio10s{{{R}}}", "{{run}}"),),
    limit=0.6,
)
USERS = Panel(
    title="Users and backlog: good is no backlog",
    text="The pool grows when arrivals find no free user. A backlog that grows: the target cannot keep up.",
    unit="none",
    queries=(
        Query(f"sum by (variant) (loadstone_users{{{R}}})", "{{variant}} users"),
        Query(f"sum by (variant) (loadstone_backlog{{{R}}})", "{{variant}} waiting"),
    ),
)
BOARD = Board(
    uid="loadstone-generator",
    title="Loadstone: load generator",
    text="Is the load what was planned, and is the generator the bottleneck?",
    rows=(
        ("What was sent", (OFFERED, REQUESTS)),
        ("Is the generator the bottleneck?", (LAG, SEND_LAG, BOTH, BUSY, USED, USERS)),
    ),
    variables=(Variable("run", "Run", "label_values(loadstone_run_info, run)"),),
)
