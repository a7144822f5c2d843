"""Pictures of the documentation are what their scripts draw."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_of_the_method_is_current():
    """Mend with `python tools/draw_method.py`."""
    drawn = load("draw_method")
    assert (ROOT / drawn.PICTURE).read_text(encoding="utf-8") == drawn.picture()


def test_the_picture_is_well_formed_and_names_every_verdict():
    tree = ET.parse(ROOT / "docs" / "images" / "method.svg")  # noqa: S314 - our own file
    words = " ".join(tree.getroot().itertext())
    for verdict in ("improved", "regressed", "equivalent", "inconclusive"):
        assert verdict in words
