"""What the controls of a run showed, line by line, in the words of every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadstone.record.plan import Control
from loadstone.record.result import CheckStatus, ControlFinding, Effect, Result
from loadstone.report import selection, wording
from loadstone.report.wording import Sign

SAYS = {
    (Control.SILENCE, CheckStatus.OK): "silent",
    (Control.SILENCE, CheckStatus.FAIL): "called different",
    (Control.SPEECH, CheckStatus.OK): "seen",
    (Control.SPEECH, CheckStatus.WARN): "not seen",
    (Control.SPEECH, CheckStatus.FAIL): "missed",
}
LEAD = (
    "Copies of before ran beside it. Of one nothing may be called; the other costs more by a known share, "
    "which must be seen and lie in its interval."
)


@dataclass(frozen=True)
class Line:
    """One metric of one control."""

    variant: str
    metric: str
    put_in: str
    found: str
    interval: str
    sign: Sign
    says: str


def lines(result: Result) -> Iterator[Line]:
    """Yield what can be told; a metric that is unavailable for the verdict is so here."""
    for one in result.controls:
        effect = one.contrast.effect
        if effect is not None:
            yield _line(result, one, effect)


def _line(result: Result, finding: ControlFinding, effect: Effect) -> Line:
    unit = finding.contrast.unit
    nothing = finding.control is Control.SILENCE or finding.truth is None
    return Line(
        variant=selection.label_of(result, finding.contrast.variant),
        metric=wording.metric_label(finding.contrast.metric),
        put_in="nothing" if nothing else wording.change(effect, finding.truth or 0.0, unit),
        found=wording.estimate(effect, unit),
        interval=wording.interval(effect, unit),
        sign=wording.CHECKS[finding.status],
        says=SAYS.get((finding.control, finding.status), ""),
    )
