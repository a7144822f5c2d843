"""Work in the background, for a real Celery worker beside the server."""

import os

from celery import Celery

app = Celery("jobs", broker=os.environ["REDIS_URL"])


@app.task
def note():
    """Do next to nothing."""
