"""Database and cache: what the shop asks of them, and what they say themselves."""

from __future__ import annotations

from grafana.source.kit import Board, Panel, Query, Variable

V = 'variant=~"$variant"'
QUERIES = Panel(
    title="SQL statements per request: good is few, and constant",
    text="A number that grows with the length of a page is an N+1: join, or prefetch.",
    unit="none",
    queries=(Query(f"variant:shop_sql_queries:per_request10s{{{V}}}", "{{variant}}"),),
)
QUERY_ROUTES = Panel(
    title="SQL statements per request by route: good is the same on every page",
    text="Which route asks so often.",
    unit="none",
    queries=(
        Query(
            f"sum by (variant, route) (rate(shop_sql_queries_total{{{V}}}[$__rate_interval])) / "
            f"sum by (variant, route) (rate(shop_http_requests_total{{{V}}}[$__rate_interval]))",
            "{{variant}} {{route}}",
        ),
    ),
)
WAITING = Panel(
    title="Waiting for SQL per request: good is a small part of the time to answer",
    text="Seconds of a request that were spent on statements, beside the mean time to answer.",
    unit="s",
    queries=(
        Query(f"variant:shop_sql_seconds:per_request10s{{{V}}}", "{{variant}} SQL"),
        Query(
            f"variant:shop_threads_busy:mean10s{{{V}}} / variant:shop_http_requests:rate10s{{{V}}}",
            "{{variant}} all",
        ),
    ),
)
CONNECTIONS = Panel(
    title="Connections of the shop: good is at most one for each thread",
    text="A number that climbs is a leak; one that falls to zero in between is a worker that died, or "
    "persistent connections that are off.",
    unit="none",
    queries=(Query(f"sum by (variant) (shop_db_connections{{{V}}})", "{{variant}}"),),
)
HIT_RATIO = Panel(
    title="Look-ups that hit the cache: good is above 80% once warm",
    text="Of all look-ups. No line: the cache is off, or nobody asks it.",
    unit="percentunit",
    queries=(Query(f"variant:shop_cache_hits:ratio10s{{{V}}}", "{{variant}}"),),
)
HITS = Panel(
    title="Answers from the cache per request: good is near 1 on cached routes",
    text="Zero where the cache is off. A drop after a write is invalidation; a saw-tooth is keys that end "
    "together.",
    unit="none",
    queries=(Query(f"variant:shop_cache_hits:per_request10s{{{V}}}", "{{variant}}"),),
)
PG_UP = Panel(
    title="PostgreSQL's exporter reaches it: good is 1",
    text="At 0 the rows below are empty: the database is down, or its password is wrong.",
    unit="none",
    queries=(Query("pg_up", "{{instance}}"),),
)
PG_SESSIONS = Panel(
    title="Sessions by state: good is few active, none idle in transaction",
    text="`idle in transaction` holds locks and keeps dead rows; active beyond the number of cores is a "
    "queue.",
    unit="none",
    queries=(Query("sum by (state) (pg_stat_activity_count)", "{{state}}"),),
)
PG_COMMITS = Panel(
    title="Transactions a second: good is commits, no rollbacks",
    text="Rollbacks are errors that the shop met: deadlocks, conflicts, timeouts.",
    unit="ops",
    queries=(
        Query("sum(rate(pg_stat_database_xact_commit[$__rate_interval]))", "commits"),
        Query("sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))", "rollbacks"),
    ),
)
PG_HITS = Panel(
    title="Pages found in shared buffers: good is above 99%",
    text="Below that the working set is larger than shared_buffers, or a scan reads what an index would "
    "find.",
    unit="percentunit",
    queries=(
        Query(
            "sum(rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum(rate(pg_stat_database_blks_hit"
            "[$__rate_interval])) + sum(rate(pg_stat_database_blks_read[$__rate_interval])))",
            "hit",
        ),
    ),
)
PG_ROWS = Panel(
    title="Rows read and returned a second: good is about as many read as returned",
    text="Many more read than fetched by an index: sequential scans.",
    unit="rps",
    queries=(
        Query("sum(rate(pg_stat_database_tup_returned[$__rate_interval]))", "read"),
        Query("sum(rate(pg_stat_database_tup_fetched[$__rate_interval]))", "fetched by an index"),
    ),
)
REDIS_COMMANDS = Panel(
    title="Redis' commands a second: good is one or two for each cached request",
    text="Many small commands for a request: batch them, with MGET or a pipeline.",
    unit="ops",
    queries=(
        Query("sum by (instance) (rate(redis_commands_processed_total[$__rate_interval]))", "{{instance}}"),
    ),
)
REDIS_MEMORY = Panel(
    title="Redis' memory: good is flat, below its limit",
    text="At maxmemory keys are evicted, and the hit ratio falls.",
    unit="bytes",
    queries=(Query("redis_memory_used_bytes", "{{instance}} used"),),
)
REDIS_EVICTED = Panel(
    title="Keys evicted and expired a second: good is none evicted",
    text="Evictions mean too little memory; expiries in bursts mean keys that were set together.",
    unit="ops",
    queries=(
        Query("sum by (instance) (rate(redis_evicted_keys_total[$__rate_interval]))", "evicted"),
        Query("sum by (instance) (rate(redis_expired_keys_total[$__rate_interval]))", "expired"),
    ),
)
BOARD = Board(
    uid="loadstone-stores",
    title="Loadstone: database and cache",
    text="What the shop asks of PostgreSQL and Redis by variant, and what both say themselves.",
    rows=(
        ("As the shop sees them", (QUERIES, QUERY_ROUTES, WAITING, CONNECTIONS, HIT_RATIO, HITS)),
        ("PostgreSQL", (PG_UP, PG_SESSIONS, PG_COMMITS, PG_HITS, PG_ROWS)),
        ("Redis", (REDIS_COMMANDS, REDIS_MEMORY, REDIS_EVICTED)),
    ),
    variables=(Variable("variant", "Variant", "label_values(shop_threads, variant)"),),
)
