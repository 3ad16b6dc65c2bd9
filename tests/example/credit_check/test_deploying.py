"""The manifests fit each other, the API and any namespace; the images are built from what their Dockerfiles copy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from credit_check.metrics import SECONDS
from credit_check.report import ATTEMPTS
from credit_check.settings import Settings

from e2e.cluster.context import Cluster, ClusterError
from e2e.cluster.images import building, example
from e2e.kit.creditcheck import FOLDER, HOST, CreditCheck, ReportTraffic
from e2e.kit.kubectl import Kubectl
from feem.api import KINDS

REPOSITORY = Path(__file__).parents[3]
KUBECTL = Kubectl(Path("kubectl"), Path("kubeconfig"), "elsewhere")


def silent(_: str) -> None:
    """Take a progress line and drop it."""


def manifests() -> list[dict[str, Any]]:
    return [body for path in sorted((FOLDER / "k8s").glob("*.yaml")) for body in yaml.safe_load_all(path.read_text())]


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [body for body in manifests() if (body["kind"], body["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("name", ["credit-check", "bureau"])
def test_pods_are_restricted_and_found_by_their_service(name: str) -> None:
    pod = one("Deployment", name)["spec"]["template"]
    assert one("Service", name)["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["ports"][0]["name"] == one("Service", name)["spec"]["ports"][0]["targetPort"]


def test_there_is_room_between_requests_and_limits_and_time_to_drain() -> None:
    pod = one("Deployment", "credit-check")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"cpu": "500m", "memory": "192Mi"},
    }
    environment = {item["name"]: item["value"] for item in container["env"]}
    assert float(environment["DRAIN_SECONDS"]) + 5 < pod["terminationGracePeriodSeconds"]
    assert environment["BUREAU_URL"] == f"http://{one('Service', 'bureau')['metadata']['name']}"
    assert one("Deployment", "credit-check")["spec"]["replicas"] == 3
    assert one("Deployment", "bureau")["spec"]["replicas"] == 2


def test_the_route_gives_up_after_the_service_would_and_before_a_request_is_overdue() -> None:
    [rule] = one("HTTPRoute", "credit-check")["spec"]["rules"]
    seconds = float(rule["timeouts"]["request"].removesuffix("s"))
    assert ATTEMPTS * Settings().bureau_seconds < seconds < 2.5
    assert one("HTTPRoute", "credit-check")["spec"]["hostnames"] == [HOST]
    budget = one("PodDisruptionBudget", "credit-check")["spec"]
    assert budget["minAvailable"] == 1
    labels = one("Deployment", "credit-check")["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_what_feem_is_told_fits_its_api_and_the_service() -> None:
    kinds = {kind.definition.kind: kind for kind in KINDS}
    bodies = [body for body in manifests() if body["apiVersion"].startswith("feem.dev/")]
    for body in bodies:
        kinds[body["kind"]].read(body)
    service = one("ManagedService", "credit-check")["spec"]
    objectives = {item["name"] for item in service["objectives"]}
    assert objectives == {body["metadata"]["name"] for body in bodies if body["kind"] == "ServiceLevelObjective"}
    assert one("GreyReleasePlan", service["planRef"])
    assert one("HTTPRoute", service["traffic"]["httpRoute"])
    threshold = float(one("ServiceLevelObjective", "credit-check-speed")["spec"]["indicator"]["latency"]["threshold"])
    assert threshold in SECONDS
    assert threshold > ATTEMPTS * Settings().bureau_seconds


def test_no_file_names_a_namespace_so_that_any_can_be_chosen() -> None:
    for body in manifests():
        assert "namespace" not in body["metadata"]
        assert body["kind"] != "Namespace"


def test_the_kit_puts_another_version_under_another_host_into_another_namespace() -> None:
    found = CreditCheck(KUBECTL, host="other.example").manifests("1.1")
    kinds = [body["kind"] for body in found]
    assert found[0]["metadata"]["name"] == "elsewhere"
    assert found[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    by_name = {(body["kind"], body["metadata"]["name"]): body for body in found}
    assert by_name["HTTPRoute", "credit-check"]["spec"]["hostnames"] == ["other.example"]
    images = {
        name: body["spec"]["template"]["spec"]["containers"][0]["image"]
        for (kind, name), body in by_name.items()
        if kind == "Deployment"
    }
    assert images == {"credit-check": "feem.example/credit-check:1.1", "bureau": example.BUREAU}
    assert kinds.count("ServiceLevelObjective") == 2
    assert len(found) == 1 + len(manifests())


def test_a_deployment_that_is_there_is_not_applied_again_and_feem_can_be_left_out() -> None:
    found = CreditCheck(KUBECTL).manifests("1.0", there=True, governed=False)
    assert not [body for body in found if body["apiVersion"].startswith("feem.dev/")]
    assert [body["metadata"]["name"] for body in found if body["kind"] == "Deployment"] == ["bureau"]


def test_another_version_than_the_one_that_is_there_is_not_applied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("e2e.kit.creditcheck.build_credit_check", lambda *_: {})
    monkeypatch.setattr("e2e.kit.creditcheck.build_bureau", lambda *_: tmp_path)
    monkeypatch.setattr("e2e.kit.creditcheck.load", lambda *_: None)
    monkeypatch.setattr(CreditCheck, "image", lambda _: "feem.example/credit-check:1.0")
    with pytest.raises(RuntimeError, match=r"1\.0 is in elsewhere already"):
        CreditCheck(KUBECTL).deploy(cluster(tmp_path, "127.0.0.1"), silent, "1.1")


def cluster(folder: Path, address: str | None) -> Cluster:
    return Cluster("t", "full", "local", folder, folder, folder / "kubeconfig", address, None, None)


def test_traffic_needs_a_gateway_and_reads_whole_lines(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no gateway"):
        ReportTraffic(cluster(tmp_path, None), tmp_path / "out")
    out = tmp_path / "seen.jsonl"
    traffic = ReportTraffic(cluster(tmp_path, "127.0.0.1"), out)
    line = '{"at": %d, "status": 504, "version": "none", "error": null, "seconds": 2.0, "record": "", "pod": "none"}\n'
    out.write_text(line % 10 + line % 20 + '{"at": 3')
    [answer] = traffic.answers(since=15)
    assert (answer.at, answer.status, answer.seconds, answer.failed) == (20, 504, 2.0, True)


def test_images_hold_the_programs_and_the_wheels_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels, seen = tmp_path / "wheels", dict[str, tuple[set[str], Mapping[str, str]]]()
    wheels.mkdir()
    (wheels / "prometheus_client-1-py3-none-any.whl").touch()
    monkeypatch.setattr(example, "wheelhouse", lambda *_: wheels)

    def build(folder: Path, dockerfile: Path, tag: str, *more: Any) -> Path:
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert dockerfile == folder / "Dockerfile"
        seen[tag] = files, more[2] if len(more) > 2 else {}
        return Path(tag)

    monkeypatch.setattr(example, "build", build)
    built = example.build_credit_check(REPOSITORY, tmp_path, silent)
    assert built == {version: Path(f"feem.example/credit-check:{version}") for version in ("1.0", "1.1")}
    example.build_bureau(REPOSITORY, tmp_path, silent)
    files, arguments = seen["feem.example/credit-check:1.1"]
    assert {"app/credit_check/server.py", "wheels/prometheus_client-1-py3-none-any.whl"} <= files
    assert arguments == {"PIP_NO_INDEX": "1", "VERSION": "1.1", "BEHAVIOUR": "trusting"}
    files, arguments = seen["feem.example/bureau:1.0"]
    assert "app/bureau/server.py" in files
    assert not [name for name in files if "wheels" in name or "__pycache__" in name]
    assert arguments == {}
    with pytest.raises(ClusterError, match=r"credit-check 9\.9 is unknown"):
        example.build_credit_check(REPOSITORY, tmp_path, silent, ["9.9"])


def test_dockerfiles_run_as_a_numbered_user_that_is_not_root() -> None:
    for folder in (example.CREDIT_CHECK_FOLDER, example.BUREAU_FOLDER):
        text = (REPOSITORY / folder / "Dockerfile").read_text()
        assert "\nUSER 65532:65532\n" in text
        assert text.count("\nFROM ") == text.count(f"\nFROM {building.BASE}") == 1
