"""`loadstone up`: a variant to look at, until it is told to end."""

import json
import shutil
import signal
import time
from urllib.request import urlopen

import pytest

from loadstone.target.ports import Ports

RULES = """\
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    file_sd_configs: [{files: [targets/variants-*.json]}]
"""


@pytest.fixture
def prometheus_port():
    ports = Ports()
    yield ports.take()
    ports.close()


def test_it_prints_where_the_variant_is_and_ends_by_itself(project):
    ran = project.run("up", "speed=fast", "--for", "500ms")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("speed=fast  http://127.0.0.1:")
    assert "without Prometheus: " in ran.stderr


def test_it_serves_until_it_is_interrupted_and_leaves_nothing(project):
    process = project.start("up")
    name, address = process.stdout.readline().split()
    with urlopen(f"{address}/health", timeout=10) as answer:  # noqa: S310 - a server of ours
        assert (name, answer.status) == ("defaults", 200)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopped" in err
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{address}/health", timeout=10)  # noqa: S310 - as above


@pytest.mark.skipif(
    not shutil.which("prometheus"),
    reason="there is no Prometheus on this machine: apt-get install prometheus",
)
def test_prometheus_scrapes_the_variant_with_the_projects_configuration(project, prometheus_port):
    (project.folder / "prometheus").mkdir()
    (project.folder / "prometheus" / "prometheus.yml").write_text(RULES)
    process = project.start("up", "speed=fast", "--prometheus-port", str(prometheus_port))
    said = dict(process.stdout.readline().split() for _ in range(2))
    assert said["Prometheus"] == f"http://127.0.0.1:{prometheus_port}"
    address, found = f"{said['Prometheus']}/api/v1/query?query=up", []
    for _ in range(200):
        try:
            with urlopen(address, timeout=10) as answer:  # noqa: S310 - as above
                found = json.load(answer)["data"]["result"]
        except OSError:  # not ready yet
            found = []
        if found:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    (target,) = found
    assert target["metric"]["variant"] == "speed=fast"
    assert f"http://{target['metric']['instance']}" == said["speed=fast"]
