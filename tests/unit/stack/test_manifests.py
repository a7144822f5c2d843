"""The Kubernetes manifests, against Kubernetes' own schemas."""

import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
VERSIONS = ("1.31", "1.34")
DOCUMENTS = [
    pytest.param(document, id=f"{path.relative_to(DEPLOY)}:{document['kind']}")
    for folder in ("app", "workers")
    for path in sorted((DEPLOY / folder).glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
APP = {one.values[0]["kind"]: one.values[0] for one in DOCUMENTS if one.id.startswith("app/")}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_manifest_fits_the_schema(document, version):
    kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_would_find_a_mistake():
    wrong = {**APP["Service"], "spec": {**APP["Service"]["spec"], "port": 80}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_kustomization_names_every_manifest():
    for folder in ("app", "workers"):
        made = yaml.safe_load((DEPLOY / folder / "kustomization.yaml").read_text())
        files = {path.name for path in (DEPLOY / folder).iterdir()} - {"kustomization.yaml"}
        assert set(made["resources"]) == files


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_the_shop():
    argv = ["kubectl", "kustomize", str(DEPLOY / "app")]
    built = subprocess.run(argv, capture_output=True, text=True, check=True)
    for document in yaml.safe_load_all(built.stdout):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
        assert document["metadata"]["labels"]["app.kubernetes.io/name"] == "shop"


def test_service_autoscaler_and_budget_are_about_the_deployment():
    labels = APP["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert APP[kind]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert APP["Service"]["spec"]["selector"].items() <= labels.items()
    target = APP["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", APP["Deployment"]["metadata"]["name"])


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_pods_of_the_shop_hold_no_rights_and_write_nowhere_but_to_tmp(kind):
    spec = APP[kind]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert [one["mountPath"] for one in container["volumeMounts"]] == ["/tmp"]  # noqa: S108 - named, not used
