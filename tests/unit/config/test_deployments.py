"""Deployments: named twice beyond this machine, and asked for nothing that only a start can give."""

import pytest

from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.deployments import compile_deployments, deployments_of, parse_deployment
from loadstone.config.load import load_project
from loadstone.config.offered import LoadWish, compile_load
from loadstone.errors import ConfigurationError

CONFIG = """
[compare]
scenario = "visit.py"
allowed_hosts = ["shop.test"]

[variants.old]
url = "http://127.0.0.1:8001"
health = "/ready"

[variants.new]
url = "https://shop.test/"
"""
HERE, THERE = "http://127.0.0.1:8001", "http://localhost:8002"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "loadstone.toml").write_text(CONFIG)
    (tmp_path / "visit.py").write_text("")
    return load_project(tmp_path / "loadstone.toml")


def compiled(project, before, after, confirmed=(), **wished):
    wish = Wish(before=before, after=after, **wished)
    return compile_deployments(project, wish, deployments_of(project, before, after), confirmed)


def test_deployments_need_no_target_and_nothing_of_them_is_started(project):
    experiment = compiled(project, HERE, THERE)
    assert experiment.deployed
    assert [one.url for one in experiment.variants] == [HERE, THERE]
    assert (experiment.tracks, experiment.pinned, experiment.steady, experiment.profile_s) == (
        1,
        False,
        False,
        0,
    )
    assert not any(one.needs_postgres or one.needs_redis or one.argv for one in experiment.variants)
    assert experiment.size == "as deployed"


def test_cpu_which_cannot_be_read_as_a_whole_takes_no_share_of_alpha(project):
    assert compiled(project, HERE, THERE).gating == ("latency_mean", "latency_p95", "errors")


def test_a_name_of_the_configuration_stands_for_its_url_and_health(project):
    sides = deployments_of(project, "old", "new")
    assert [(one.label, one.url, one.health) for one in sides] == [
        ("old", HERE, "/ready"),
        ("new", "https://shop.test", "*"),
    ]


def test_what_is_no_deployment_is_left_to_others(project):
    assert deployments_of(project, "main", "HEAD") is None


@pytest.mark.parametrize(("before", "after"), [(HERE, "main"), ("orm=naive", "old")])
def test_a_deployment_is_not_compared_with_what_is_started(project, before, after):
    with pytest.raises(ConfigurationError, match="is no deployment"):
        deployments_of(project, before, after)


@pytest.mark.parametrize(
    ("url", "confirmed", "remedy"),
    [
        ("http://elsewhere.test", ("elsewhere.test",), "allowed_hosts"),
        ("http://10.0.0.7:80", (), "allowed_hosts"),
        ("http://127.0.0.1.elsewhere.test", (), "allowed_hosts"),
        ("https://shop.test", (), "--allow-host shop.test"),
        ("https://SHOP.test:8443", ("other.test",), "--allow-host shop.test"),
    ],
)
def test_a_host_beyond_loopback_is_named_in_the_configuration_and_on_the_command_line(
    project, url, confirmed, remedy
):
    with pytest.raises(ConfigurationError, match="is not on this machine") as refused:
        compiled(project, HERE, url, confirmed)
    assert remedy in refused.value.remedy


def test_a_host_that_is_named_twice_may_be_compared(project):
    assert compiled(project, "old", "new", ("shop.test",)).variants[1].url == "https://shop.test"


@pytest.mark.parametrize(
    ("wished", "option"),
    [
        ({"held": ("orm=naive",)}, "--with"),
        ({"size": "medium"}, "--size"),
        ({"controls": True}, "--controls"),
        ({"profile": True}, "--profile"),
        ({"tracks": 2}, "--tracks"),
        ({"pinned": True}, "--pin"),
        ({"steady": True}, "--steady"),
        ({"lane": "load"}, "--lane load"),
    ],
)
def test_what_only_a_start_can_give_is_refused(project, wished, option):
    with pytest.raises(ConfigurationError, match=f"^{option} says nothing of a deployment"):
        compiled(project, HERE, THERE, **wished)


def test_a_deployment_is_its_own_equal_only_when_asked_for(project):
    with pytest.raises(ConfigurationError, match="both variants are the same"):
        compiled(project, HERE, "old")
    assert compiled(project, HERE, "old", allow_identical=True).deployed


@pytest.mark.parametrize("metric", ["cpu", "latency_mean,cpu_server"])
def test_cpu_of_a_deployment_cannot_decide(project, metric):
    with pytest.raises(ConfigurationError, match="cannot decide"):
        compiled(project, HERE, THERE, gating=(metric,))


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://127.0.0.1/shop", "http://h?x=1"]
)
def test_a_url_is_scheme_host_and_port(url):
    with pytest.raises(ConfigurationError, match="is no URL of a deployment"):
        parse_deployment(url)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(ConfigurationError, match="name or a password") as refused:
        parse_deployment("http://admin:sesame@127.0.0.1:8001")
    assert "sesame" not in str(refused.value) + refused.value.cause + refused.value.remedy


@pytest.mark.parametrize(
    ("url", "expected"),
    [("HTTP://LocalHost:8001/", "http://localhost:8001"), ("http://[::1]:80", "http://[::1]:80")],
)
def test_urls_are_written_one_way(url, expected):
    assert parse_deployment(url) == expected


def test_without_a_target_nothing_is_started(project):
    with pytest.raises(ConfigurationError, match="there is nothing to start"):
        compile_experiment(project, Wish(before="", after="", allow_identical=True))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com", "http://127.0.0.1@example.com/", "http://127.0.0.1:8001#@example.com",
        "http://127.0.0.1:8001\\@example.com", "http://2130706433:8001", "http://0x7f.1:8001", "http://127.1:8001",
        "http://0.0.0.0:8001", "http://localhost.example.com", "http://127.0.0.1.example.com",
        "http://127.0.0.1%2eexample.com", "http://127.0.0.1\t.example.com", "http://127.0.0.1\n.example.com",
        "http://[::ffff:8.8.8.8]", "ftp://127.0.0.1", "http://",
    ],
)  # fmt: skip
def test_what_looks_like_this_machine_and_is_another_is_refused(project, url):
    """Some name it in a way that only a resolver understands; those are refused as well."""
    with pytest.raises(ConfigurationError):
        compiled(project, HERE, url)


def test_urls_are_compared_without_a_target_and_without_names(tmp_path):
    (tmp_path / "loadstone.toml").write_text('[compare]\nscenario = "visit.py"\n')
    (tmp_path / "visit.py").write_text("")
    project = load_project(tmp_path / "loadstone.toml")
    assert compiled(project, HERE, THERE).deployed
    with pytest.raises(ConfigurationError, match="there is nothing to start"):
        compile_load(project, LoadWish(rate="5", duration="1s"))
