"""Which line of the app sent a statement, said in a comment of it; only where the app is probed.

Imported once by the app, for example in its wsgi.py. What is timed never has it: Loadstone sets
LOADSTONE_PROBE for servers that it probes, and for no others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db.backends.signals import connection_created

ROOT = Path(__file__).resolve().parent.parent
OURS = str(ROOT / "goods")
"""Folder whose lines are named; frames of middleware and libraries are passed over."""


def tag(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401
    """Add the place to a statement."""
    frame = sys._getframe(1)  # noqa: SLF001 - the way to look up the stack
    while frame is not None and not frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is not None:
        file = quote(str(Path(frame.f_code.co_filename).relative_to(ROOT))).replace("%", "%%")
        sql = f"{sql} /*file='{file}',line='{frame.f_lineno}'*/"
    return execute(sql, params, many, context)


def install(connection: Any, **_: object) -> None:  # noqa: ANN401
    """Tag what a new connection sends."""
    connection.execute_wrappers.append(tag)


if "LOADSTONE_PROBE" in os.environ:
    connection_created.connect(install)
