"""A matrix of toggles: one comparison after the other, each some combinations beside the base."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from loadstone.config.model import Experiment
from loadstone.errors import LoadstoneError
from loadstone.lanes.conductor import Options, Outcome, conduct
from loadstone.lanes.view import View
from loadstone.record.folder import MATRIX_RESULT, new_run_folder, write_atomically
from loadstone.record.machine import describe_machine
from loadstone.record.matrix_result import MatrixPlan, MatrixResult
from loadstone.verdict.matrix import Told, judge_matrix


@dataclass(frozen=True, slots=True)
class MatrixOutcome:
    """A matrix that has ended, complete or not."""

    folder: Path
    result: MatrixResult
    error: LoadstoneError | None


def run_matrix(
    plan: MatrixPlan,
    experiments: Sequence[Experiment],
    options: Options,
    view: View,
    tell: Callable[[str], None],
) -> MatrixOutcome:
    """Run the comparisons of a matrix in turn, and judge what they say together.

    A comparison that cannot be believed ends the matrix: its combinations would be missing.

    Raises:
        ConfigurationError: the report folder cannot be written.
    """
    started, begin = datetime.now(UTC), time.monotonic()
    folder = new_run_folder(options.reports, plan.title)
    outcomes: list[Outcome] = []
    reason = "every planned combination is measured"
    for number, experiment in enumerate(experiments, start=1):
        tell(f"part {number} of {len(experiments)}")
        outcomes.append(conduct(experiment, options, view))
        if outcomes[-1].interrupted or outcomes[-1].error is not None:
            reason = f"part {number} ended early: {outcomes[-1].result.run.stop_reason}"
            break
    last = outcomes[-1]
    told = Told(
        id=folder.name,
        started_at=started.isoformat(timespec="seconds"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - begin, 3),
        stop_reason=reason,
        interrupted=last.interrupted,
        machine=describe_machine(),
    )
    result = judge_matrix(plan, [one.result for one in outcomes], told)
    text = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
    write_atomically(folder / MATRIX_RESULT, text)
    return MatrixOutcome(folder, result, None if last.interrupted else last.error)
