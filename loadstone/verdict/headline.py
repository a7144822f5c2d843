"""The verdict in one plain line."""

from __future__ import annotations

from loadstone.record.result import Contrast
from loadstone.stats.verdicts import Verdict

NAMES = {
    "latency_mean": "mean latency",
    "latency_p50": "p50 latency",
    "latency_p95": "p95 latency",
    "latency_p99": "p99 latency",
    "cpu": "CPU per request",
    "cpu_server": "server CPU per request",
    "cpu_database": "database CPU per request",
    "throughput": "throughput",
    "errors": "share of failed requests",
}
TWICE = 2.0


def headline(verdict: Verdict, gating: list[Contrast], reasons: list[str]) -> str:
    """Return the headline: what the verdict rests on, most important metric first."""
    if verdict is Verdict.INVALID:
        return f"invalid: {reasons[0]}" if reasons else "invalid: the measurement must not be believed"
    if verdict is Verdict.INCONCLUSIVE and reasons:
        return f"inconclusive: {reasons[0]}"
    told = [contrast for contrast in gating if contrast.verdict is verdict and contrast.effect is not None]
    told = [contrast for contrast in told if contrast.metric != "errors"] or told
    if not told:
        return str(verdict)
    if verdict is Verdict.EQUIVALENT:
        names = ", ".join(_name(contrast) for contrast in told)
        return f"equivalent: {names} within ±{_percent(max(contrast.margin for contrast in told))}"
    return f"{verdict}: " + "; ".join(_phrase(contrast) for contrast in told[:2])


def _name(contrast: Contrast) -> str:
    name = NAMES.get(contrast.metric, contrast.metric)
    return f"{name} of {contrast.endpoint}" if contrast.endpoint else name


def _phrase(contrast: Contrast) -> str:
    effect = contrast.effect
    name = _name(contrast)
    if effect is None:
        return name
    if effect.kind == "difference":
        estimate, low, high = (f"{end * 100:+z.2f}" for end in (effect.estimate, effect.low, effect.high))
        return f"{name} {estimate} points [{low}, {high}]"
    change = f"{name} {_signed(effect.estimate)} [{_signed(effect.low)}, {_signed(effect.high)}]"
    if effect.estimate < 0 and 1 / (1 + effect.estimate) >= TWICE and contrast.metric.startswith("latency"):
        return f"{change}, {1 / (1 + effect.estimate):.1f}× faster"
    return change


def _signed(share: float) -> str:
    sign = "−" if share < 0 else "+"
    return f"{sign}{_percent(abs(share))}"


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.1f}%" if percent < 100 else f"{percent:.0f}%"  # noqa: PLR2004 - three digits tell enough
