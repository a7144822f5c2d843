"""The rules that are committed, before Prometheus' own tool."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "prometheus"
RULES = [
    rule
    for path in sorted((FOLDER / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
CASES = "".join(path.read_text() for path in sorted((FOLDER / "tests").glob("*.yml")))
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="there is no promtool on this machine: apt-get install prometheus"
)


def promtool(*words):
    ran = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_promtool_finds_nothing_wrong():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", *map(str, sorted(FOLDER.glob("rules/*.yml"))))


@needs_promtool
def test_the_rules_do_what_their_tests_say():
    promtool("test", "rules", *map(str, sorted(FOLDER.glob("tests/*.yml"))))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("record") or rule["alert"])
def test_every_rule_is_tested(rule):
    if "record" in rule:
        assert re.search(rf"expr: (round\()?{re.escape(rule['record'])}\b", CASES)
    else:
        assert re.search(rf"alertname: {rule['alert']}\b", CASES)


@pytest.mark.parametrize("rule", [one for one in RULES if "alert" in one], ids=lambda rule: rule["alert"])
def test_every_alert_says_how_urgent_it_is_and_where_to_look(rule):
    assert rule["labels"]["severity"] in {"page", "ticket", "test"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
