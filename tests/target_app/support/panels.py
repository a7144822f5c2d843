"""The queries of the committed dashboards and rules, ready to be asked."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
_COMPARISON = re.compile(r"\s(?:>|<|==)\s")


def panel_queries() -> list[tuple[str, str, str]]:
    """Return (dashboard, panel, expression) of every query of every panel and variable."""
    found = []
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            found += [(path.stem, panel["title"], one["expr"]) for one in panel.get("targets", ())]
        for one in board["templating"]["list"]:
            if one["type"] == "query":
                metric = re.fullmatch(r"label_values\((.+), \w+\)", one["query"])[1]
                found.append((path.stem, f"variable {one['name']}", metric))
    return found


def rules() -> list[dict]:
    """Return every recording and alerting rule."""
    files = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def rule_queries() -> list[tuple[str, str, str]]:
    """Return (`rules`, name, expression): of alerts what they compare, as a silent alert gives nothing."""
    found = [("rules", rule["record"], rule["expr"]) for rule in rules() if "record" in rule]
    for rule in rules():
        parts = rule["expr"].split("\nand ") if "alert" in rule else ()
        found += [("rules", rule["alert"], _COMPARISON.split(part)[0]) for part in parts]
    return found


def filled_in(query: str, run: str) -> str:
    """Return a query as Grafana would send it."""
    values = {"$__rate_interval": "10s", "$run": run, "$variant": ".+", "$metric": "latency_mean"}
    for name, value in values.items():
        query = query.replace(name, value)
    return query
