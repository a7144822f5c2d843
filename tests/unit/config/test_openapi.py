"""Requests that only read, from an OpenAPI schema."""

import json

import pytest

from loadstone.config.openapi import parse_schema, reading_endpoints
from loadstone.errors import ConfigurationError

SCHEMA = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://api.example.org/v1/"}],
    "paths": {
        "/items": {
            "get": {
                "parameters": [
                    {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}},
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                ]
            },
            "post": {},
        },
        "/items/{id}": {"parameters": [{"$ref": "#/components/parameters/Id"}], "get": {}},
        "/kinds/{kind}": {
            "get": {"parameters": [{"name": "kind", "in": "path", "schema": {"enum": ["a", "b"]}}]}
        },
        "/mine": {"get": {"parameters": [{"name": "X-Token", "in": "header", "required": True}]}},
        "/old": {"get": {"deprecated": True}},
        "/write": {"post": {}},
    },
    "components": {"parameters": {"Id": {"name": "id", "in": "path", "example": 7}}},
}


def test_what_is_read_is_found_with_the_examples_that_the_schema_gives():
    found = {one.path: one for one in reading_endpoints(parse_schema(json.dumps(SCHEMA), "schema"))}
    assert list(found) == ["/v1/items", "/v1/items/{id}", "/v1/kinds/{kind}", "/v1/mine"]
    assert found["/v1/items"].query == "page=1"
    assert found["/v1/items/{id}"].values == (("id", "7"),)
    assert found["/v1/items/{id}"].parent == "/v1/items/"
    assert found["/v1/kinds/{kind}"].values == (("kind", "a"),)
    assert found["/v1/mine"].missing == ("X-Token",)


@pytest.mark.parametrize("reference", ["#/nowhere/at/all", "#/components/parameters/Loop", "other.json#/x"])
def test_references_that_lead_nowhere_are_passed_over(reference):
    loop = {"Loop": {"$ref": "#/components/parameters/Loop"}}
    schema = {
        "paths": {"/a": {"get": {"parameters": [{"$ref": reference}]}}},
        "components": {"parameters": loop},
    }
    assert [one.path for one in reading_endpoints(schema)] == ["/a"]


@pytest.mark.parametrize("text", ["openapi: 3.0.0", "[]", "{}", '{"paths": []}'])
def test_what_is_no_schema_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"no JSON|no OpenAPI schema"):
        parse_schema(text, "schema")
