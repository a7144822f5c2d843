"""The summary that ends a command: verdict first, at 80 columns, with or without colour."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loadstone.record.probed import FactChange
from loadstone.record.result import Contrast, Result
from loadstone.report import controls, price, quantities, safe, selection, why, wording
from loadstone.report.wording import Sign
from loadstone.stats.verdicts import Verdict

MOST_ENDPOINTS = 8
MOST_DIFFERENCES = 3
MOST_PRICES = 6
INDENT = 2
_PLAIN = str.maketrans({"→": "->", "−": "-", "×": "x", "µ": "u", "±": "+/-", "·": "|", "…": "..."})


def render(result: Result, console: Console, *, report: str = "") -> None:
    """Print the summary of `result`.

    Args:
        result: the record.
        console: where to; colour and width are its own affair.
        report: path of the full report, named at the end.
    """
    printer = _Printer(result, console)
    printer.verdict()
    for variant in selection.others(result):
        printer.metrics(variant.name)
        printer.endpoints(variant.name)
    printer.families()
    printer.price()
    printer.outlook()
    printer.probe()
    printer.payload()
    printer.failures()
    printer.controls()
    printer.checks()
    printer.footer(report)


class _Printer:
    """Prints one result, section by section."""

    def __init__(self, result: Result, console: Console) -> None:
        self.result = result
        self.console = console
        self.ascii = not (console.encoding or "").lower().startswith("utf")

    def symbol(self, sign: Sign) -> str:
        return sign.plain if self.ascii else sign.symbol

    def text(self, text: str, style: str = "") -> Text:
        """Return `text` as this console can write it, its brackets taken literally."""
        if self.ascii:
            text = text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
        return Text(text, style=style)

    def line(self, *parts: Text | str, indent: int = 0) -> None:
        """Print one paragraph, its further lines indented like the first."""
        text = Text()
        for part in parts:
            text.append_text(part if isinstance(part, Text) else self.text(part))
        self.console.print(Padding(text, (0, 0, 0, indent), expand=False), highlight=False)

    def heading(self, text: str) -> None:
        self.console.print()
        self.line(self.text(text, "bold"))

    def verdict(self) -> None:
        sign = wording.VERDICTS[self.result.verdict.verdict]
        word = str(self.result.verdict.verdict).upper()
        self.line(
            Text(f"{self.symbol(sign)} {word}", style=sign.style),
            f"  {safe.name(self.result.experiment.title)}",
        )
        key = selection.key_contrast(self.result)
        self.line(wording.sentence(key) if key is not None else wording.headline(self.result))
        causes = why.sentences(self.result)
        for one in causes:
            self.line(one.text)
        if key is not None and not causes and wording.exact_headline(self.result):
            self.line(wording.exact_headline(self.result))
        for reason in self.result.verdict.reasons:
            if reason not in self.result.verdict.headline:
                self.line(safe.name(reason, 300))
        ended = wording.status(self.result)
        if ended:
            self.line(self.text(ended, "yellow"))

    def metrics(self, variant: str) -> None:
        gating = selection.overall(self.result, variant, gating=True)
        rest = selection.overall(self.result, variant, gating=False)
        if not gating and not rest:
            return
        labels = [selection.label_of(self.result, name) for name in (self.result.variants[0].name, variant)]
        self.heading(f"{safe.name(labels[0], 36)} {quantities.ARROW} {safe.name(labels[1], 36)}")
        self.table([*gating, *rest], "metric", split=len(gating))
        self.unavailable([*gating, *rest])

    def families(self) -> None:
        told = wording.families(self.result)
        if told:
            self.console.print()
            self.line(self.text(f"{told[:1].upper()}{told[1:]}.", "dim"))

    def endpoints(self, variant: str) -> None:
        lines = [
            next(
                (one for one in selection.of_endpoint(self.result, endpoint, variant) if one.available), None
            )
            for endpoint in selection.endpoints(self.result)
        ]
        told = [one for one in lines if one is not None]
        if not told:
            return
        labels = {one.metric for one in told}
        title = wording.metric_label(told[0].metric) if len(labels) == 1 else "latency"
        self.heading(f"By endpoint ({title})")
        shown = told[:MOST_ENDPOINTS]
        self.table(shown, "endpoint")
        if len(told) > len(shown):
            self.line(f"and {len(told) - len(shown)} more in the report", indent=INDENT)

    def table(self, contrasts: list[Contrast], title: str, split: int | None = None) -> None:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=False)
        for column in (title, "before → after", "change", "interval", "verdict"):
            table.add_column(self.text(column), no_wrap=column not in {title, "interval"}, overflow="fold")
        for place, contrast in enumerate(contrasts):
            if not contrast.available or contrast.effect is None:
                continue
            dim = "dim" if split is not None and place >= split else ""
            name = wording.metric_label(contrast.metric) if contrast.endpoint is None else contrast.endpoint
            table.add_row(
                self.text(safe.name(name, 60), dim),
                self.text(wording.levels(contrast), dim),
                self.text(wording.estimate(contrast.effect, contrast.unit)),
                self.text(wording.interval(contrast.effect, contrast.unit), dim),
                self.judged(contrast),
            )
        if table.row_count:
            self.console.print(Padding(table, (0, 0, 0, INDENT), expand=False))

    def judged(self, contrast: Contrast | FactChange) -> Text:
        if contrast.verdict is None:
            return Text("")
        sign = wording.VERDICTS[contrast.verdict]
        return Text(f"{self.symbol(sign)} {contrast.verdict}", style=sign.style)

    def unavailable(self, contrasts: Iterable[Contrast]) -> None:
        for contrast in contrasts:
            if not contrast.available:
                self.line(
                    f"{wording.metric_label(contrast.metric)}: {wording.unavailable(contrast)}", indent=INDENT
                )

    def price(self) -> None:
        if not price.known(self.result):
            return
        told = price.lines(self.result)
        self.heading("Price: what got worse")
        if not told:
            self.line(price.nothing(self.result), indent=INDENT)
        for one in told[:MOST_PRICES]:
            where = ", ".join(part for part in (one.where, one.variant) if part)
            minor = ", inside the margin" if one.minor else ""
            self.line(
                self.text("" if one.minor else f"{self.symbol(wording.VERDICTS[Verdict.REGRESSED])} ", "red"),
                f"{one.what}{f' ({where})' if where else ''}: {one.before} {quantities.ARROW} {one.after}, "
                f"{one.change}, {one.source}{minor}",
                indent=INDENT,
            )
        if len(told) > MOST_PRICES:
            self.line(f"and {len(told) - MOST_PRICES} more in the report", indent=INDENT)

    def outlook(self) -> None:
        open_ones = [one for one in selection.gating(self.result) if wording.outlook(one)]
        if open_ones:
            self.heading("Still open")
        for one in open_ones:
            self.line(f"{wording.metric_label(one.metric)}: {wording.outlook(one)}", indent=INDENT)

    def probe(self) -> None:
        pairs = list(islice(selection.probe_pairs(self.result), MOST_ENDPOINTS))
        several = selection.several(self.result)
        if pairs:
            self.heading("Per request, counted exactly")
        for endpoint, _, after in pairs:
            side = f" ({safe.name(selection.label_of(self.result, after.variant), 30)})" if several else ""
            changes = selection.exact(self.result, endpoint, after.variant)
            if selection.timed(self.result):
                self.line(f"{safe.name(endpoint, 60)}{side}: {wording.exact_line(changes)}", indent=INDENT)
            else:
                self.line(f"{safe.name(endpoint, 60)}{side}", indent=INDENT)
                self.facts(changes.values())

    def facts(self, changes: Iterable[FactChange]) -> None:
        """Print one endpoint's exact facts with their verdicts; those that do not decide are dim."""
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False, expand=False)
        for one in changes:
            dim = "" if one.gating else "dim"
            label = wording.FACT_LABELS.get(one.fact, one.fact)
            table.add_row(self.text(label, dim), self.text(wording.exact_change(one), dim), self.judged(one))
        self.console.print(Padding(table, (0, 0, 0, 2 * INDENT), expand=False))

    def payload(self) -> None:
        if self.result.probe is None:
            return
        payload = self.result.probe.payload
        if payload.differences:
            self.heading(f"Payloads differ ({payload.checked - payload.equal} of {payload.checked} requests)")
        else:
            self.heading(f"Payloads equal ({payload.equal} of {payload.checked} requests)")
        for rule in payload.rules:
            self.line(f"allowed by rule {safe.name(rule)}", indent=INDENT)
        for one in payload.differences[:MOST_DIFFERENCES]:
            self.line(f"{safe.name(one.request)} at {safe.name(one.path)}:", indent=INDENT)
            self.line(
                f"{safe.name(one.before, 60)} {quantities.ARROW} {safe.name(one.after, 60)}",
                indent=INDENT * 2,
            )
        if len(payload.differences) > MOST_DIFFERENCES:
            self.line(f"and {len(payload.differences) - MOST_DIFFERENCES} more in the report", indent=INDENT)

    def failures(self) -> None:
        failures = selection.failures(self.result)
        if failures:
            self.heading("Requests that failed")
        for one in failures[:MOST_ENDPOINTS]:
            label = safe.name(selection.label_of(self.result, one.variant), 40)
            self.line(
                f"{safe.name(one.endpoint, 60)}, {label}: {one.count:,} × {safe.name(one.outcome)}",
                indent=INDENT,
            )

    def controls(self) -> None:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=False)
        for column in ("control", "metric", "put in", "found", "interval", "so"):
            table.add_column(self.text(column), overflow="fold")
        for one in controls.lines(self.result):
            told = (safe.name(one.variant, 40), one.metric, one.put_in, one.found, one.interval)
            so = Text(f"{self.symbol(one.sign)} {one.says}", style=one.sign.style)
            table.add_row(*(self.text(text) for text in told), so)
        if table.row_count:
            self.heading("Controls")
            self.console.print(Padding(table, (0, 0, 0, INDENT), expand=False))

    def checks(self) -> None:
        concerns = selection.concerns(self.result)
        if concerns:
            self.heading("Checks of the measurement")
        for check in concerns:
            sign = wording.CHECKS[check.status]
            mark = Text(f"{self.symbol(sign)} {sign.meaning}", style=sign.style)
            self.line(mark, f" {safe.name(check.name, 60)}: {safe.name(check.message, 400)}", indent=INDENT)
            if check.remedy:
                self.line(f"{quantities.ARROW} {safe.name(check.remedy, 400)}", indent=INDENT * 2)

    def footer(self, report: str) -> None:
        run, experiment = self.result.run, self.result.experiment
        self.console.print()
        took = quantities.duration(run.duration_s)
        timing = (
            f"{len(self.result.generations)} generations in {took}",
            f"margin ±{quantities.share(experiment.margin)}",
        )
        facts = (
            *(timing if selection.timed(self.result) else (f"probed in {took}",)),
            f"size {safe.name(experiment.size, 20)}",
            f"{experiment.users} users" if experiment.users != 1 else "1 user",
            safe.name(run.stop_reason),
        )
        self.line(self.text(" · ".join(facts), "dim"))
        if report:
            self.path("report  ", report)
        self.path("again   ", run.command)

    def path(self, label: str, text: str) -> None:
        """Print on one line however long, so that it can be copied."""
        line = self.text(label, "dim").append_text(self.text(safe.visible(text)))
        self.console.print(line, highlight=False, soft_wrap=True)
