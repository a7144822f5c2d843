"""Writes every dashboard's JSON."""

from __future__ import annotations

from grafana.source.all import FOLDER, files

for name, text in files().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
