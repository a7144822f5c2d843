"""What all dashboards have in common: how a panel looks, and which variables there are.

A panel's title says what good looks like, and its description what to do about the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${source}")
GRAFANA = models.DataSourceRef(type_val="datasource", uid="grafana")
WIDTH, HEIGHT = 12, 8
"""Of a panel, in Grafana's grid of 24 columns."""


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and what its lines are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Args:
        title: what is shown, and what good looks like.
        text: what it tells, and where to look next.
        unit: Grafana's name of it.
        queries: their lines are drawn together.
        limit: where good ends; drawn as a line.
        kind: `lines`, `number` or `table`.
        least: where the axis begins; None: wherever the lines do.
        width: columns of 24.
    """

    title: str
    text: str
    unit: str
    queries: tuple[Query, ...]
    limit: float | None = None
    kind: str = "lines"
    least: float | None = 0
    width: int = WIDTH


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the head of a dashboard: the values that a label has."""

    name: str
    label: str
    query: str
    several: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: rows of panels."""

    uid: str
    title: str
    text: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    variables: tuple[Variable, ...] = ()
    marks: tuple[Query, ...] = field(default=())
    """Annotations out of Prometheus, beside those that runs leave in Grafana."""


def build(board: Board) -> models.Dashboard:
    """Return the dashboard as the SDK has it."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.text)
        .tags(["loadstone"])
        .time("now-15m", "now")
        .refresh("5s")
        .timezone("browser")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("source").label("Data source").type("prometheus"))
        .annotation(_runs())
    )
    for variable in board.variables:
        made = made.with_variable(_variable(variable))
    for mark in board.marks:
        made = made.annotation(_mark(mark))
    number = itertools.count(1)
    for title, panels in board.rows:
        made = made.with_row(dashboard.Row(title).id(next(number)))
        for panel in panels:
            made = made.with_panel(_panel(panel).id(next(number)))
    return made.build()


def _panel(panel: Panel) -> timeseries.Panel | stat.Panel | table.Panel:
    makers: dict[str, Callable[[Panel], timeseries.Panel | stat.Panel | table.Panel]] = {
        "lines": _lines,
        "number": _number,
        "table": _table,
    }
    made = makers[panel.kind](panel)
    made.title(panel.title).description(panel.text).datasource(SOURCE).unit(panel.unit)
    made.height(HEIGHT).span(panel.width)
    for number, query in enumerate(panel.queries):
        made.with_target(_target(query, chr(ord("A") + number), instant=panel.kind == "table"))
    return made


def _target(query: Query, ref: str, *, instant: bool) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref)
    return made.instant().format("table") if instant else made.range()  # type: ignore[arg-type]  # an enum of strings


def _lines(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(looks.LegendDisplayMode.TABLE)
        .placement(looks.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )
    made = timeseries.Panel().legend(legend).line_width(2).fill_opacity(5)
    if panel.least is not None:
        made.min(panel.least)
    made.tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI))
    if panel.limit is not None:
        made.thresholds(_limit(panel.limit))
        made.thresholds_style(common.GraphThresholdsStyleConfig().mode(looks.GraphTresholdsStyleMode.DASHED))
    return made


def _number(panel: Panel) -> stat.Panel:
    made = stat.Panel().text_mode(looks.BigValueTextMode.VALUE_AND_NAME)
    if panel.limit is not None:
        made.thresholds(_limit(panel.limit))
    return made


def _table(panel: Panel) -> table.Panel:
    del panel
    hidden = {"Time": True, "__name__": True, "instance": True, "job": True, "run": True}
    organize = models.DataTransformerConfig(id_val="organize", options={"excludeByName": hidden})
    return table.Panel().with_transformation(organize)


def _limit(value: float) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(value=None, color="green"), models.Threshold(value=value, color="red")]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _variable(variable: Variable) -> dashboard.QueryVariable:
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .query(variable.query)
        .datasource(SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_DESC)
    )
    if variable.several:
        everything = models.VariableOption(text="All", value="$__all")
        made = made.multi(multi=True).include_all(include_all=True).current(everything)
    return made


def _runs() -> dashboard.AnnotationQuery:
    """Return the marks that runs leave in Grafana."""
    target = dashboard.AnnotationTarget().limit(100).match_any(match_any=False)
    target = target.tags(["loadstone"]).type("tags")
    return (
        dashboard.AnnotationQuery()
        .name("Runs")
        .datasource(GRAFANA)
        .enable(enable=True)
        .icon_color("blue")
        .target(target)
    )


def _mark(mark: Query) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(mark.legend)
        .datasource(SOURCE)
        .enable(enable=True)
        .icon_color("purple")
        .expr(mark.expr)
    )
