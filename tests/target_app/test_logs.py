"""Logs: structured, and each line with its request's id."""

import json
import logging
import re

import pytest
from core.logs import RequestIds, request_id
from django.conf import settings as shop
from pythonjsonlogger.json import JsonFormatter


@pytest.fixture
def lines():
    """Have `shop` and `django` log as JSON into a list."""
    form = {
        key: value for key, value in shop.LOGGING["formatters"]["json"].items() if key not in {"()", "format"}
    }
    handler = _List(JsonFormatter(shop.LOGGING["formatters"]["json"]["format"], **form))
    loggers = [logging.getLogger(name) for name in ("shop.requests", "django.request")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.lines
    for logger in loggers:
        logger.removeHandler(handler)


class _List(logging.Handler):
    def __init__(self, formatter):
        super().__init__()
        self.setFormatter(formatter)
        self.addFilter(RequestIds())
        self.lines = []

    def emit(self, record):
        self.lines.append(json.loads(self.format(record)))


def test_a_request_is_one_line_where_it_is_wished(client, settings, lines):
    client.get("/health/live")
    assert lines == []
    settings.SHOP_ACCESS_LOG = True
    answer = client.get("/health/live", headers={"x-request-id": "abc-123"})
    (line,) = lines
    assert answer["X-Request-ID"] == line["request_id"] == "abc-123"
    assert (line["method"], line["route"], line["status"]) == ("GET", "health/live", 200)
    assert line["duration_ms"] >= 0
    assert {"at", "level", "logger", "message"} <= set(line)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "ä"])
def test_what_is_no_id_is_not_taken_over(client, settings, lines, given):
    settings.SHOP_ACCESS_LOG = True
    answer = client.get("/health/live", headers={"x-request-id": given})
    assert "X-Request-ID" not in answer
    assert re.fullmatch("[0-9a-f]{32}", lines[0]["request_id"])


@pytest.mark.django_db
def test_all_lines_of_a_request_have_one_id(client, settings, lines, monkeypatch):
    settings.SHOP_ACCESS_LOG = True
    client.raise_request_exception = False
    monkeypatch.setattr("catalogue.selectors.categories", lambda: 1 / 0)
    client.get("/api/v1/categories")
    client.get("/api/v1/categories")
    assert len(lines) == 4
    ids = [line["request_id"] for line in lines]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert "ZeroDivisionError" in lines[0]["exc_info"]


def test_outside_of_requests_there_is_no_id():
    assert request_id() == "-"
