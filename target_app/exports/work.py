"""Making a report: the long part, imported where it is done."""

from __future__ import annotations

import csv
import io

from exports.models import Export
from exports.selectors import COLUMNS, sales


def export_sales(export: int) -> None:
    """Fill a report, unless it is filled already."""
    category = Export.objects.filter(pk=export, content=None).values_list("category", flat=True).first()
    if category is None:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = 0
    for row in sales(category):
        writer.writerow(row)
        rows += 1
    Export.objects.filter(pk=export, content=None).update(content=text.getvalue(), rows=rows)
