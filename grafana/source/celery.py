"""Celery: how long work waits, how long it takes, and what is left undone (shop with `tasks=celery`)."""

from __future__ import annotations

from grafana.source.kit import Board, Panel, Query, Variable

V = 'variant=~"$variant"'
WAIT = Panel(
    title="Time in the queue: good is far below the time that the work takes",
    text="Mean over the last minute, from the request to the first attempt. Where it grows, workers are "
    "too few; where it jumps, one has died.",
    unit="s",
    queries=(Query(f"variant:shop_task_queue_seconds:mean1m{{{V}}}", "{{variant}} {{task}}"),),
)
RUN = Panel(
    title="Time that work takes: good is flat",
    text="Mean over the last minute of what was done. A rise means that the work or its database got slower.",
    unit="s",
    queries=(Query(f"variant:shop_task_run_seconds:mean1m{{{V}}}", "{{variant}} {{task}}"),),
)
RATE = Panel(
    title="Work done a second: good is as much as is asked for",
    text="Where it stays below what comes in, the queue grows.",
    unit="ops",
    queries=(Query(f"variant:shop_tasks_done:rate1m{{{V}}}", "{{variant}} {{task}}"),),
)
LENGTH = Panel(
    title="Messages that wait: good is near zero, and not growing",
    text="At the broker. No line: the broker does not answer.",
    unit="none",
    queries=(Query(f"max by (variant) (shop_task_queue_length{{{V}}})", "{{variant}}"),),
)
OLDEST = Panel(
    title="Oldest work not ended: good is seconds",
    text="Its age. One that only grows while others end is work that fails again and again, or a message "
    "that was lost; `manage.py resend_tasks` sends it again.",
    unit="s",
    queries=(Query(f"max by (variant, task) (shop_task_oldest_seconds{{{V}}})", "{{variant}} {{task}}"),),
    limit=30,
)
STATES = Panel(
    title="Work by state: good is done alone growing",
    text="`retrying` failed and will be tried again; `dead` was given up: staff see why at /staff/tasks.",
    unit="none",
    queries=(Query(f"max by (variant, task, state) (shop_tasks{{{V}}})", "{{variant}} {{task}} {{state}}"),),
)
BOARD = Board(
    uid="loadstone-celery",
    title="Loadstone: Celery",
    text="Work in the background: how long it waits, how long it takes, what is left undone.",
    rows=(("Does the work keep up?", (WAIT, RUN, RATE)), ("What is left", (LENGTH, OLDEST, STATES))),
    variables=(Variable("variant", "Variant", "label_values(shop_tasks, variant)"),),
)
