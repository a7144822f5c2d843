"""The dashboards that are committed: what the code says, and nothing empty or nameless."""

import json
import re
from pathlib import Path

import pytest
import yaml

from grafana.source.all import BOARDS, FOLDER, files

ROOT = Path(__file__).parents[3]
SHOWN = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
PANELS = [
    pytest.param(panel, id=f"{name}:{panel['title']}")
    for name, board in SHOWN.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]


def test_the_committed_files_are_what_the_code_puts_out():
    """Otherwise: python -m grafana.source."""
    assert {name: (FOLDER / name).read_text() for name in SHOWN} == files()
    assert len(SHOWN) == len(BOARDS)


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_good_looks_like(panel):
    assert re.search(r": good (is|follows) ", panel["title"])
    assert len(panel["description"]) > 20
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]


@pytest.mark.parametrize("panel", PANELS)
def test_no_panel_makes_up_a_value(panel):
    assert not re.search(r"\bor\b|vector\(|absent\(", " ".join(one["expr"] for one in panel["targets"]))


@pytest.mark.parametrize("board", SHOWN.values(), ids=SHOWN)
def test_panels_have_numbers_of_their_own_and_lie_beside_each_other(board):
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


def test_the_data_source_is_asked_as_often_as_prometheus_scrapes():
    made = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    assert made["datasources"][0]["jsonData"]["timeInterval"] == config["global"]["scrape_interval"]
