"""The published JSON Schema is what the record's types say."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from loadstone.record.schema import SCHEMAS, publish, published_text

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("which", SCHEMAS, ids=str)
def test_the_published_schemas_are_current(which):
    """Mend with `python -m loadstone.record.schema`."""
    assert (ROOT / which).read_text(encoding="utf-8") == published_text(which)


@pytest.mark.parametrize("which", SCHEMAS, ids=str)
def test_the_schemas_are_themselves_valid(which):
    jsonschema.Draft202012Validator.check_schema(json.loads(published_text(which)))


def test_publishing_makes_the_folder(tmp_path):
    assert json.loads(publish(tmp_path).read_text(encoding="utf-8"))["title"] == "Loadstone result"


def test_a_result_of_another_major_version_is_refused_by_the_schema():
    schema = json.loads(published_text())
    version = schema["$defs"]["Result"]["properties"]["schema_version"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate("2.0", version)
