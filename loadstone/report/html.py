"""The page of a comparison."""

from __future__ import annotations

from loadstone.record.folder import RESULT
from loadstone.record.result import Result
from loadstone.report import frame, markdown, page
from loadstone.report.exports import table


def render(result: Result) -> str:
    """Return the page of `result`."""
    verdict, built = result.verdict.verdict, page.build(result)
    around = frame.Frame(
        title=f"{verdict.capitalize()}: {result.experiment.title}",
        subject="verdict",
        kind=str(verdict),
        folder="sections",
        sections={name: title for name, title in built.titles.items() if built.has[name]},
        data_file=RESULT,
        id=result.run.id,
        started_at=result.run.started_at,
        version=result.run.loadstone_version,
        csv=table.render(result),
    )
    return frame.render(around, result, markdown.render(result), page=built)
