"""Where a run can be scraped, and how Prometheus finds its variants."""

import json
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from loadstone.cli.telemetry import watcher_of
from loadstone.errors import ConfigurationError
from loadstone.telemetry import endpoint
from loadstone.telemetry.endpoint import Wish, parse_metrics_address, scraped, targets_file
from loadstone.telemetry.grafana import Annotations


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def _no_lingering(monkeypatch):
    monkeypatch.setattr(endpoint, "LINGER_S", 0.0)
    monkeypatch.delenv("LOADSTONE_GRAFANA_URL", raising=False)


def test_a_run_is_scraped_on_loopback_and_not_any_more_when_it_is_over(port):
    address = f"http://127.0.0.1:{port}/metrics"
    with scraped(Wish(str(port)), ()) as watcher:
        watcher.began("run-1", "one", [("before", "a")])
        with urllib.request.urlopen(address) as answer:
            assert 'loadstone_running{run="run-1"} 1.0' in answer.read().decode()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


@pytest.mark.parametrize("text", ["", "x", "9464.5", "0", "70000", "127.0.0.1:"])
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(ConfigurationError, match="no address"):
        parse_metrics_address(text, ())


def test_an_address_beyond_loopback_needs_a_second_word():
    with pytest.raises(ConfigurationError, match="beyond"):
        parse_metrics_address("10.1.2.3:9464", ())
    assert parse_metrics_address("10.1.2.3:9464", ("10.1.2.3",)) == ("10.1.2.3", 9464)
    assert parse_metrics_address("9464", ()) == ("127.0.0.1", 9464)


def test_a_port_that_is_taken_is_told(port):
    with scraped(Wish(str(port)), ()), pytest.raises(ConfigurationError, match="cannot answer"):
        scraped(Wish(str(port)), ()).__enter__()


def test_variants_are_targets_only_while_they_serve(tmp_path, port):
    file = tmp_path / "variants.json"
    with scraped(Wish(str(port), file), ()) as watcher:
        assert json.loads(file.read_text()) == []
        watcher.serving({"before": "http://127.0.0.1:20001"})
        assert json.loads(file.read_text()) == [
            {"targets": ["127.0.0.1:20001"], "labels": {"variant": "before"}}
        ]
    assert json.loads(file.read_text()) == []


def test_targets_name_nothing_but_address_and_variant():
    assert json.loads(targets_file({"after": "http://h:1/path?x"})) == [
        {"targets": ["h:1"], "labels": {"variant": "after"}}
    ]


def test_targets_without_a_scraper_are_a_mistake(tmp_path):
    with pytest.raises(ConfigurationError, match="nobody scrapes"), watcher_of(Wish("", tmp_path / "x"), ()):
        pass


class Grafana(BaseHTTPRequestHandler):
    """Takes annotations as Grafana's HTTP API does."""

    seen: list = []  # noqa: RUF012 - one server a test

    def do_POST(self):
        """Take one."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers["Authorization"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def test_begin_and_end_of_a_run_are_marked_in_grafana(port, monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Grafana)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("LOADSTONE_GRAFANA_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("LOADSTONE_GRAFANA_TOKEN", "s3cret")
    with scraped(Wish(str(port)), ()) as watcher:
        watcher.began("run-1", "a against b", [("before", "a")])
        watcher.ended(None)
    server.shutdown()
    server.server_close()
    thread.join()
    assert [body["text"] for _, _, body in Grafana.seen] == ["a against b: began", "a against b: ended"]
    assert {(path, secret) for path, secret, _ in Grafana.seen} == {("/api/annotations", "Bearer s3cret")}
    assert all("run-1" in body["tags"] for _, _, body in Grafana.seen)


def test_a_grafana_that_is_not_there_harms_no_run(port):
    Annotations(f"http://127.0.0.1:{port}", "x").mark("text", ())
