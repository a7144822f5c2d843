"""Markdown for a pull request: verdict and table, the rest folded away."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from loadstone.record.result import Contrast, Result
from loadstone.report import controls, price, profile, quantities, safe, selection, why, wording

MOST_ENDPOINTS = 40
MOST_DIFFERENCES = 10
MOST_PRICES = 10
_SPECIAL = re.compile(r"([\\`*_{}\[\]#!|~@^$])")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)([:.])")
_REFERENCE = re.compile(r"(?i)(?<![0-9a-z])(gh-)(?=\d)|([@#])(?=\w)")
_BREAK, _MARK = "&#8203;", "\x00"
"""A space without width: GitHub looks for mentions and issues after Markdown has dropped its backslashes."""


def render(result: Result) -> str:
    """Return `result` as GitHub-flavoured Markdown, with every name of others escaped."""
    parts = [
        _opening(result),
        *(_metrics(result, variant.name) for variant in selection.others(result)),
        _families(result),
        _price(result),
        _outlook(result),
        _warnings(result),
        _folded("By endpoint", _endpoints(result)),
        *_exact(result),
        *(
            _folded(f"CPU by function: {escape(one.title)}", _functions(one))
            for one in profile.flames(result)
        ),
        _folded("Payloads", _payload(result)),
        _folded("Requests that failed", _failures(result)),
        _folded("Controls", _controls(result)),
        _folded("Checks, machine and command", _circumstances(result)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str, length: int = safe.NAME_LENGTH) -> str:
    """Return `text` so that Markdown shows it as it is: no markup, no HTML, no link, no mention."""
    shown = html.escape(safe.name(text, length), quote=False)
    shown = _REFERENCE.sub(rf"\g<0>{_MARK}", _SPECIAL.sub(r"\\\1", shown))
    return _AUTOLINK.sub(rf"\1{_MARK}\2", shown).replace(_MARK, _BREAK)


def code(text: str, length: int = safe.NAME_LENGTH) -> str:
    """Return `text` as code; HTML's element, because backticks cannot hold pipes in a table."""
    shown = html.escape(safe.name(text, length), quote=False)
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"


def fenced(text: str, language: str = "", length: int = safe.TEXT_LENGTH) -> str:
    """Return `text` as a code block that no run of backticks in it can close."""
    shown = safe.block(text, length)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def _opening(result: Result) -> str:
    verdict = result.verdict.verdict
    word = f"{wording.VERDICTS[verdict].symbol} {str(verdict).capitalize()}"
    lines = [f"### {word}: {escape(result.experiment.title)}"]
    key = selection.key_contrast(result)
    told = wording.sentence(key) if key is not None else wording.headline(result)
    lines.append(escape(told[:1].upper() + told[1:], 400))
    causes = why.sentences(result)
    lines += [escape(one.text, 600) for one in causes]
    if key is not None and not causes and wording.exact_headline(result):
        changed = wording.exact_headline(result)
        lines.append(escape(changed[:1].upper() + changed[1:], 400))
    lines += [escape(one, 300) for one in result.verdict.reasons if one not in result.verdict.headline]
    if wording.status(result):
        lines.append(f"_{escape(wording.status(result))}_")
    return "\n\n".join(line for line in lines if line)


def _metrics(result: Result, variant: str) -> str:
    rows = [
        *selection.overall(result, variant, gating=True),
        *selection.overall(result, variant, gating=False),
    ]
    if not rows:
        return ""
    baseline = escape(selection.label_of(result, result.variants[0].name))
    title = f"{baseline} → {escape(selection.label_of(result, variant))}"
    head = ("metric", "before → after", "change", "interval", "verdict")
    return f"**{title}**\n\n" + _table(head, (_row(wording.metric_label(one.metric), one) for one in rows))


def _row(name: str, contrast: Contrast) -> list[str]:
    label = f"**{name}**" if contrast.gating else name
    if not contrast.available or contrast.effect is None:
        return [label, escape(wording.unavailable(contrast), 240), "", "", ""]
    effect = contrast.effect
    return [
        label,
        wording.levels(contrast),
        wording.estimate(effect, contrast.unit),
        wording.interval(effect, contrast.unit),
        wording.judged(contrast),
    ]


def _families(result: Result) -> str:
    told = wording.families(result)
    return f"_{escape(told[:1].upper() + told[1:], 400)}._" if told else ""


def _price(result: Result) -> str:
    """Return what got worse, never folded away; long lists name what they leave out."""
    if not price.known(result):
        return ""
    told = price.lines(result)
    if not told:
        return f"**Price**: {escape(price.nothing(result), 300)}."
    rows = [
        [
            " ".join(
                (escape(one.what), *([code(one.where)] if one.where else []), escape(one.variant))
            ).strip(),
            f"{one.before} → {one.after}",
            one.change + (", inside the margin" if one.minor else ""),
            one.source,
        ]
        for one in told[:MOST_PRICES]
    ]
    left = len(told) - len(rows)
    more = f"\n\n{left} more got worse; they are in the report." if left > 0 else ""
    table = _table(("got worse", "before → after", "by", "how it is known"), rows)
    return f"**Price** ({price.UNSEEN})\n\n{table}{more}"


def _outlook(result: Result) -> str:
    told = [(one, wording.outlook(one)) for one in selection.gating(result)]
    return "\n".join(f"- {wording.metric_label(one.metric)}: {text}" for one, text in told if text)


def _warnings(result: Result) -> str:
    lines = []
    for check in selection.concerns(result):
        sign = wording.CHECKS[check.status]
        line = f"- {sign.symbol} {sign.meaning}: {escape(check.name)}: {escape(check.message, 400)}"
        lines.append(f"{line} → {escape(check.remedy, 400)}" if check.remedy else line)
    return "\n".join(lines)


def _endpoints(result: Result) -> str:
    rows = [
        [code(endpoint), *_row(wording.metric_label(one.metric), one)]
        for variant in selection.others(result)
        for endpoint in selection.endpoints(result)[:MOST_ENDPOINTS]
        for one in selection.of_endpoint(result, endpoint, variant.name)
    ]
    return (
        _table(("endpoint", "metric", "before → after", "change", "interval", "verdict"), rows)
        if rows
        else ""
    )


def _exact(result: Result) -> list[str]:
    """Return the exact facts: folded beside timings, open where they alone decide."""
    pairs = list(selection.probe_pairs(result))[:MOST_ENDPOINTS]
    found = [(endpoint, selection.exact(result, endpoint, after.variant)) for endpoint, _, after in pairs]
    if selection.timed(result):
        lines = "\n".join(f"- {code(endpoint)}: {wording.exact_line(facts)}" for endpoint, facts in found)
        return [_folded("Counted exactly, per request", lines)]
    rows = [
        [
            code(endpoint),
            f"**{label}**" if one.gating else label,
            wording.exact_change(one),
            wording.judged(one),
        ]
        for endpoint, facts in found
        for one in facts.values()
        for label in [wording.FACT_LABELS.get(one.fact, escape(one.fact))]
    ]
    return (
        [_table(("endpoint", "per request, counted exactly", "before → after", "verdict"), rows)]
        if rows
        else []
    )


def _functions(flames: profile.Flames) -> str:
    """Return the functions whose own cost changed most; where none did beyond chance, say so."""
    changed = [one for one in flames.costs if one.certain]
    whole = " → ".join(quantities.microseconds(one) for one in flames.whole)
    lead = f"CPU of server and companions a request, sampled after the last generation: {whole}."
    if not changed:
        return f"{lead} No function's own cost differs by more than sampling does."
    rows = [
        [
            code(one.name),
            f"{quantities.microseconds(one.own[0])} → {quantities.microseconds(one.own[1])}",
            f"{quantities.share(one.shares[0])} → {quantities.share(one.shares[1])}",
            profile.told(one),
        ]
        for one in changed
    ]
    return f"{lead}\n\n{_table(('function', 'own CPU', 'share', 'change'), rows)}"


def _payload(result: Result) -> str:
    if result.probe is None:
        return ""
    payload = result.probe.payload
    lines = [f"{payload.equal} of {payload.checked} requests return the same on every variant."]
    lines += [f"- allowed by rule {escape(rule)}" for rule in payload.rules]
    for one in payload.differences[:MOST_DIFFERENCES]:
        lines.append(f"\n{code(one.request)} at {code(one.path)}:\n")
        lines.append(fenced(one.diff or f"- {safe.name(one.before)}\n+ {safe.name(one.after)}", "diff"))
    return "\n".join(lines)


def _failures(result: Result) -> str:
    rows = [
        [
            code(one.endpoint),
            escape(selection.label_of(result, one.variant)),
            escape(one.outcome),
            f"{one.count:,}",
        ]
        for one in selection.failures(result)[:MOST_ENDPOINTS]
    ]
    return _table(("endpoint", "variant", "outcome", "requests"), rows) if rows else ""


def _controls(result: Result) -> str:
    rows = [
        [
            escape(one.variant),
            one.metric,
            one.put_in,
            one.found,
            one.interval,
            f"{one.sign.symbol} {one.says}",
        ]
        for one in controls.lines(result)
    ]
    head = ("control", "metric", "put in", "found", "interval", "so")
    return f"{controls.LEAD}\n\n{_table(head, rows)}" if rows else ""


def _circumstances(result: Result) -> str:
    run, experiment, machine = result.run, result.experiment, result.machine
    took = quantities.duration(run.duration_s)
    host = f"{escape(machine.cpu_model)}, {machine.cores} cores, {quantities.size(machine.memory_bytes)}"
    margin, alpha = quantities.share(experiment.margin), quantities.share(experiment.alpha)
    timing = [
        f"{len(result.generations)} generations in {took}; {escape(run.stop_reason)}",
        f"margin ±{margin}, false-alarm rate {alpha}",
    ]
    facts = [
        *(timing if selection.timed(result) else [f"probed in {took}; {escape(run.stop_reason)}"]),
        f"scenario {code(experiment.scenario)}, size {escape(experiment.size)}, {experiment.users} users",
        f"{host}, {escape(machine.kernel)}, Python {escape(machine.python)}",
        *(f"{escape(name)} {escape(value)}" for name, value in machine.facts.items()),
        *(f"✓ {escape(check.name)}: {escape(check.message, 240)}" for check in selection.passed(result)),
    ]
    return "\n".join(f"- {fact}" for fact in facts) + "\n\n" + fenced(run.command, "sh")


def _table(head: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(head)} |"
        yield f"|{' --- |' * len(head)}"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    return "\n".join(lines())


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""
