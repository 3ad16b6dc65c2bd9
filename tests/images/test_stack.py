from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.cluster import versions
from e2e.cluster.context import GATEWAY_PORT, PROMETHEUS_PORT
from e2e.cluster.images.names import IMAGES
from e2e.cluster.stack import rendering

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = ("namespaces", "coredns", "gateway", "prometheus")
EXAMPLE = Path(__file__).parents[2] / "examples" / "credit-factory" / "limit-scoring" / "k8s"


def containers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from containers(item)
    elif isinstance(value, dict):
        if "image" in value:
            yield value
        for part in value.values():
            yield from containers(part)


def of_kind(documents: list[rendering.Manifest], kind: str, name: str) -> rendering.Manifest:
    [found] = [one for one in documents if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("name", OWN)
def test_images_are_the_published_names_with_explicit_tags(name: str) -> None:
    for container in containers(rendering.own(name)):
        assert container["image"] in IMAGES.values()
        assert container.get("imagePullPolicy", "IfNotPresent") == "IfNotPresent"


def test_node_ports_and_addresses_are_those_of_the_contract() -> None:
    [port] = of_kind(rendering.own("prometheus"), "Service", "prometheus")["spec"]["ports"]
    assert port["nodePort"] == PROMETHEUS_PORT
    proxy = of_kind(rendering.own("gateway"), "EnvoyProxy", "edge")["spec"]["provider"]["kubernetes"]
    assert proxy["envoyService"]["patch"]["value"]["spec"]["ports"][0]["nodePort"] == GATEWAY_PORT
    assert of_kind(rendering.own("coredns"), "Service", "kube-dns")["spec"]["clusterIP"] == versions.DNS_ADDRESS
    assert f"{versions.DNS_DOMAIN}:53" in of_kind(rendering.own("coredns"), "ConfigMap", "coredns")["data"]["Corefile"]


def test_prometheus_forgets_a_gone_pod_soon_and_scrapes_what_is_annotated() -> None:
    documents = rendering.own("prometheus")
    [container] = of_kind(documents, "Deployment", "prometheus")["spec"]["template"]["spec"]["containers"]
    assert "--query.lookback-delta=15s" in container["args"]
    settings = yaml.safe_load(of_kind(documents, "ConfigMap", "prometheus")["data"]["prometheus.yml"])
    assert settings["global"]["scrape_interval"] == "5s"
    jobs = {job["job_name"]: job for job in settings["scrape_configs"]}
    assert jobs.keys() == {"pods", "feem", "gateway"}
    assert {rule.get("target_label") for rule in jobs["pods"]["relabel_configs"]} >= {"namespace", "pod"}
    assert jobs["feem"]["honor_labels"] is True


@pytest.mark.parametrize("name", OWN)
def test_nothing_tolerates_the_node_that_is_only_played(name: str) -> None:
    assert "tolerations" not in rendering.dump(rendering.own(name))


def test_the_gateway_retries_nothing_and_shifts_within_one_cluster() -> None:
    documents = rendering.own("gateway")
    assert {one["kind"] for one in documents} == {"EnvoyProxy", "GatewayClass", "Gateway"}  # no policy with retries
    assert "mergeBackends" not in of_kind(documents, "EnvoyProxy", "edge")["spec"]
    assert of_kind(documents, "Gateway", "edge")["metadata"]["namespace"] == "feem-gateway"


def test_descriptions_go_but_a_field_of_that_name_stays() -> None:
    schema = {
        "description": "gone",
        "properties": {"description": {"type": "string", "description": "gone"}, "properties": {"type": "object"}},
        "items": [{"description": "gone", "type": "x"}],
    }
    assert rendering.without_descriptions(schema) == {
        "properties": {"description": {"type": "string"}, "properties": {"type": "object"}},
        "items": [{"type": "x"}],
    }


def test_crds_are_taken_from_the_chart_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "gateway-helm" / "charts" / "crds" / "crds"
    folder.mkdir(parents=True)
    crd = {"kind": "CustomResourceDefinition", "status": {}, "spec": {"description": "long"}}
    (folder / "a.yaml").write_text(yaml.safe_dump_all([crd, None, {"kind": "ValidatingAdmissionPolicy"}]))
    found = list(rendering._render_crds(tmp_path, tmp_path, print))
    assert found == [{"kind": "CustomResourceDefinition", "spec": {}}]


def test_the_example_is_restricted_drains_longer_than_it_serves_and_is_reached_through_the_gateway() -> None:
    [deployment] = yaml.safe_load_all((EXAMPLE / "deployment.yaml").read_text())
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["image"] == "feem.example/limit-scoring:1.0"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    drain = next(float(one["value"]) for one in container["env"] if one["name"] == "DRAIN_SECONDS")
    assert drain + 5 < pod["terminationGracePeriodSeconds"]
    [route] = yaml.safe_load_all((EXAMPLE / "httproute.yaml").read_text())
    assert route["spec"]["parentRefs"] == [{"name": "edge", "namespace": "feem-gateway"}]
    assert route["spec"]["hostnames"] == ["limit-scoring.lending.example"]
    [service] = yaml.safe_load_all((EXAMPLE / "service.yaml").read_text())
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
