"""Marks of runs in Grafana: best effort, as a run never fails over a picture."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

URL_VARIABLE = "LOADSTONE_GRAFANA_URL"
TOKEN_VARIABLE = "LOADSTONE_GRAFANA_TOKEN"  # noqa: S105 - the name of a variable
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Annotations:
    """Where marks go.

    Args:
        url: Grafana's base URL; empty: nowhere.
        token: of a service account that may write annotations.
    """

    url: str = ""
    token: str = ""

    @classmethod
    def from_environment(cls) -> Annotations:
        """Return what `LOADSTONE_GRAFANA_URL` and `LOADSTONE_GRAFANA_TOKEN` say."""
        url = os.environ.get(URL_VARIABLE, "")
        return cls(url if url.startswith(("http://", "https://")) else "", os.environ.get(TOKEN_VARIABLE, ""))

    def mark(self, text: str, tags: Sequence[str]) -> None:
        """Mark this moment on every dashboard; where Grafana cannot be reached, do nothing."""
        if not self.url:
            return
        request = urllib.request.Request(  # noqa: S310 - http and https alone get here
            f"{self.url.rstrip('/')}/api/annotations",
            data=json.dumps({"text": text, "tags": list(tags)}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with suppress(OSError), urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 - as above
            pass
