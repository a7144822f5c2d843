"""The compose file and the manifests say what the commands understand, and agree with themselves."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadstone.cli.main import cli
from loadstone.config.crew import LOCUST_PORT, TOKEN_VARIABLE, CrewWish, compile_crew, parse_address

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "workers"
SHIPPED = tomllib.loads((ROOT / "loadstone.toml").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def documents(name: str) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in yaml.safe_load_all((MANIFESTS / name).read_text())}


MASTER, WORKER = documents("master.yaml"), documents("worker.yaml")
KUSTOMIZATION = documents("kustomization.yaml")["Kustomization"]


def pod(one: dict[str, Any]) -> dict[str, Any]:
    return one["spec"]["template"]["spec"]


def words(given: list[str]) -> list[str]:
    """Return a command as compose would run it, without variables set."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in given]


def understood(given: list[str]) -> dict[str, Any]:
    """Return what the command line makes of words; raises where it does not know one."""
    command = cli.commands[given[0]]
    return command.make_context(given[0], list(given[1:])).params


COMMANDS = {
    "compose load": words(COMPOSE["load"]["command"]),
    "compose worker": words(COMPOSE["worker"]["command"]),
    "job": pod(MASTER["Job"])["containers"][0]["args"],
    "deployment": pod(WORKER["Deployment"])["containers"][0]["args"],
}


@pytest.mark.parametrize("where", ["compose load", "job"])
def test_the_run_expects_workers_at_an_address_that_needs_a_secret(where):
    given = understood(COMMANDS[where])
    wish = CrewWish(
        expect_workers=given["expect_workers"],
        bind=given["bind"],
        target_host=given["target_host"],
        allowed_hosts=given["allow_host"],
        token="secret",
    )
    crew = compile_crew(wish, SHIPPED["compare"]["allowed_hosts"])
    assert (crew.bind, crew.port, crew.local) == ("0.0.0.0", LOCUST_PORT, 0)  # noqa: S104 - as above
    assert crew.listen == "0.0.0.0"  # noqa: S104 - compared, not bound


@pytest.mark.parametrize(("run", "worker"), [("compose load", "compose worker"), ("job", "deployment")])
def test_workers_go_to_the_run_and_may_send_to_its_target_alone(run, worker):
    load, given = understood(COMMANDS[run]), understood(COMMANDS[worker])
    assert parse_address(given["master"], 0) == (load["target_host"], LOCUST_PORT)
    assert given["allow_target"] == (load["target_host"],)


def test_the_secret_comes_from_outside_everywhere():
    for service in (COMPOSE["load"], COMPOSE["worker"]):
        assert service["environment"][TOKEN_VARIABLE].startswith("${LOADSTONE_WORKER_TOKEN:?")
    for one in (MASTER["Job"], WORKER["Deployment"]):
        (token,) = [each for each in pod(one)["containers"][0]["env"] if each["name"] == TOKEN_VARIABLE]
        assert set(token["valueFrom"]["secretKeyRef"]) == {"name", "key"}


def test_the_names_that_workers_use_are_the_services():
    assert understood(COMMANDS["compose load"])["target_host"] in COMPOSE
    service = MASTER["Service"]
    assert understood(COMMANDS["job"])["target_host"] == service["metadata"]["name"]
    assert service["spec"]["ports"][0]["port"] == LOCUST_PORT
    labels = MASTER["Job"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_as_many_workers_are_started_as_are_expected():
    (replicas,) = KUSTOMIZATION["replicas"]
    assert replicas["name"] == WORKER["Deployment"]["metadata"]["name"]
    assert replicas["count"] == understood(COMMANDS["job"])["expect_workers"]
    assert COMPOSE["worker"]["scale"] == understood(COMMANDS["compose load"])["expect_workers"]


def test_nothing_runs_as_root():
    assert re.search(r"^USER loadstone$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name, service in COMPOSE.items():
        steps_down = name in {"postgres", "mariadb"}
        assert steps_down or re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    for one in (MASTER["Job"], WORKER["Deployment"]):
        assert pod(one)["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize("name", COMPOSE)
def test_every_service_is_pinned_and_bounded(name):
    service = COMPOSE[name]
    assert service["image"] in {"loadstone:local", "loadstone:mariadb"} or re.search(
        r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]
    )
    assert service["cap_drop"] == ["ALL"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    writes_where_it_is_configured = name in {"postgres", "rabbitmq", "mariadb"}
    assert writes_where_it_is_configured or service["read_only"]
    assert all(each.startswith("127.0.0.1:") for each in service.get("ports", ()))


def test_every_variable_without_a_default_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    for name in re.findall(r"\$\{(\w+):\?", text):
        assert re.search(rf"^{name}=$", example, re.MULTILINE), "a secret has no value in the example"


def test_the_composed_prometheus_is_the_same_but_for_where_it_finds_the_shop():
    one = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    other = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    jobs = [{each["job_name"]: each for each in config.pop("scrape_configs")} for config in (one, other)]
    assert one == other
    assert [name for name in jobs[0] if jobs[0][name] != jobs[1][name]] == ["shop"]
    assert list(jobs[0]) == list(jobs[1])


def test_every_manifest_is_part_of_the_kustomization():
    others = {path.name for path in MANIFESTS.iterdir()} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == others


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_it():
    built = subprocess.run(
        ["kubectl", "kustomize", str(MANIFESTS)], capture_output=True, text=True, check=True
    )
    kinds = {one["kind"]: one for one in yaml.safe_load_all(built.stdout)}
    assert set(kinds) == {"Service", "Job", "Deployment", "HorizontalPodAutoscaler"}
    assert kinds["Deployment"]["spec"]["replicas"] == KUSTOMIZATION["replicas"][0]["count"]
