"""The chart as real helm renders it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from feem.adapters.policies import REAPER_SUFFIX, PackagedPolicies
from feem.reaper import ReaperSettings
from feem.settings import Settings
from tests.chart import helm
from tests.chart.helm import Body

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
OPERATOR = "system:serviceaccount:feem-system:feem"
ALWAYS = ["tmp", "audit-keys"]
"""The volumes of every installation."""


@pytest.fixture(scope="module")
def rendered() -> list[Body]:
    return helm.render({"replicas": 2, "podDisruptionBudget.enabled": True})


def test_helm_finds_nothing_to_complain_about() -> None:
    done = helm.run("lint", "--strict", str(helm.CHART))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"\[(WARNING|ERROR)\]", done.stdout)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("replicas=0", "replicas"),
        ("replicas=3", "replicas"),
        ("replicaCount=1", "replicaCount"),
        ("image.tag=latest", "image/tag"),
        ("image.digest=abc", "image/digest"),
        ("image.repository=feem.dev/operator:1.0", "image/repository"),
        ("image.pullPolicy=Sometimes", "image/pullPolicy"),
        ("prometheus.url=prometheus:9090", "prometheus/url"),
        ("prometheus.queryTimeoutSeconds=0", "prometheus/queryTimeoutSeconds"),
        ("prometheus.ca.configMap=Bank_CA", "ca/configMap"),
        ("prometheus.token.key=a/b", "token/key"),
        ("tickets.timeoutSeconds=0", "tickets/timeoutSeconds"),
        ("tickets.jira.url=jira.bank.example", "jira/url"),
        ("tickets.jira.url=https://feem:hidden@jira.bank.example", "jira/url"),
        ("tickets.jira.user=release:pipeline", "jira/user"),
        ("tickets.jira.user=release-pipeline", "token/secret"),
        ("tickets.jira.token.secret=Bank_Token", "token/secret"),
        ("tickets.webhook.url=https://zentao.bank.example/stories", "webhook/url"),
        ("tickets.webhook.ca.key=a/b", "ca/key"),
        ("operator.budgetIntervalSeconds=0", "operator/budgetIntervalSeconds"),
        ("operator.logLevel=verbose", "operator/logLevel"),
        ("operator.intervalSeconds=fast", "operator/intervalSeconds"),
        ("serviceAccount.name=Feem", "serviceAccount/name"),
        ("policies.hold=Maybe", "policies/hold"),
        ("resources.limits.memory=lots", "resources/limits/memory"),
        ("service.port=70000", "service/port"),
        ("reaper.replicas=0", "reaper/replicas"),
        ("reaper.intervalSeconds=0", "reaper/intervalSeconds"),
        ("reaper.sweepSeconds=300", "reaper/sweepSeconds"),
        ("reaper.resources.limits.memory=lots", "resources/limits/memory"),
        ("chaos.namespaces[0]=Lending", "chaos/namespaces"),
        ("chaos.namespaces[0]=lending,reaper.enabled=false", "reaper/enabled"),
        ("chaos.namespace=lending", "chaos"),
    ],
)
def test_the_schema_refuses_wrong_values_by_name(value: str, field: str) -> None:
    done = helm.run("template", "feem", str(helm.CHART), "--set", value)
    assert done.returncode != 0
    assert field.rpartition("/")[2] in done.stderr
    assert "schema" in done.stderr


@pytest.mark.parametrize(("name", "sources"), [("feem", {"emptyDir", "secret"}), ("feem-reaper", {"emptyDir"})])
def test_the_pods_meet_the_restricted_standard(rendered: list[Body], name: str, sources: set[str]) -> None:
    pod = helm.named(rendered, "Deployment", name)["spec"]["template"]["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert {key for volume in pod["volumes"] for key in volume} == {"name", *sources}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/healthz"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_the_operator_is_told_everything_by_environment(rendered: list[Body]) -> None:
    (container,) = helm.named(rendered, "Deployment", "feem")["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item.get("value") or item["valueFrom"]["fieldRef"]["fieldPath"] for item in container["env"]}
    assert env == {
        "FEEM_PROMETHEUS_URL": "http://prometheus.monitoring.svc:9090",
        "FEEM_QUERY_TIMEOUT_SECONDS": "4",
        "FEEM_TICKET_TIMEOUT_SECONDS": "5",
        "FEEM_INTERVAL_SECONDS": "5",
        "FEEM_BUDGET_INTERVAL_SECONDS": "60",
        "FEEM_LOG_LEVEL": "INFO",
        "FEEM_HTTP_PORT": "8080",
        "FEEM_LEASE_NAME": "feem",
        "FEEM_SERVICE_ACCOUNT_USERNAME": OPERATOR,
        "FEEM_HOLD_POLICY": "Auto",
        "FEEM_NAMESPACE": "metadata.namespace",
        "FEEM_IDENTITY": "metadata.name",
        "FEEM_AUDIT_KEYS_DIR": "/etc/feem/audit-keys",
        "FEEM_AUDIT_STORE": "Cluster",
        "FEEM_AUDIT_PUBLISH_SECONDS": "10",
        "FEEM_AUDIT_HEARTBEAT_SECONDS": "900",
        "FEEM_AUDIT_RETENTION_DAYS": "0",
        "FEEM_AUDIT_RETENTION_RECORDS": "1000",
    }
    assert container["args"] == ["operator"]


def environment(bodies: list[Body], deployment: str) -> dict[str, str]:
    (container,) = helm.named(bodies, "Deployment", deployment)["spec"]["template"]["spec"]["containers"]
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def test_the_reaper_is_a_process_of_its_own(rendered: list[Body]) -> None:
    deployment = helm.named(rendered, "Deployment", "feem-reaper")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    operator = helm.named(rendered, "Deployment", "feem")["spec"]["template"]
    assert deployment["spec"]["replicas"] == 1
    assert container["args"] == ["reaper"]
    assert environment(rendered, "feem-reaper") == {
        "FEEM_REAPER_INTERVAL_SECONDS": "2",
        "FEEM_REAPER_SWEEP_SECONDS": "30",
        "FEEM_LOG_LEVEL": "INFO",
        "FEEM_HTTP_PORT": "8080",
    }
    for name, told in environment(rendered, "feem-reaper").items():
        default = ReaperSettings.model_fields[name.removeprefix("FEEM_").lower()].default
        assert str(default).removesuffix(".0") == told, "the chart's defaults are the reaper's own"
    assert pod["serviceAccountName"] == "feem-reaper" != operator["spec"]["serviceAccountName"]
    assert container["image"] == operator["spec"]["containers"][0]["image"]
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"], "nor the log's keys, nor anybody's token"
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= operator["metadata"]["labels"].items()
    assert deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/scrape"] == "true"


def test_the_reapers_resources_are_the_operators_unless_it_is_given_its_own() -> None:
    def of(values: Body) -> Body:
        bodies = helm.render(values)
        (container,) = helm.named(bodies, "Deployment", "feem-reaper")["spec"]["template"]["spec"]["containers"]
        found: Body = container["resources"]
        return found

    assert of({}) == yaml.safe_load((helm.CHART / "values.yaml").read_text())["resources"]
    own = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
    assert of({"reaper.resources": own}) == own


def test_without_the_reaper_nothing_of_it_is_there() -> None:
    """But for the figures that the dashboard would show of it."""
    values = {"reaper.enabled": False, "policies.install": False, "crds.install": False, "dashboard.enabled": False}
    assert "reaper" not in yaml.safe_dump_all(helm.render(values))


@pytest.mark.parametrize(
    ("namespaces", "told"),
    [([], None), (["lending"], "lending"), (["lending", "cards"], "lending,cards"), (["*"], "*")],
)
def test_experiments_run_nowhere_unless_somebody_says_where(namespaces: list[str], told: str | None) -> None:
    env = environment(helm.render({"chaos.namespaces": namespaces}), "feem")
    assert env.get("FEEM_CHAOS_NAMESPACES") == told
    assert Settings(prometheus_url="http://p", chaos_namespaces=told or "").chaos_namespaces == (told or "")


@pytest.mark.parametrize(
    ("namespaces", "words"),
    [([], "No chaos experiment runs anywhere"), (["lending", "cards"], "may run in lending, cards")],
)
def test_the_notes_say_where_experiments_run(namespaces: list[str], words: str) -> None:
    chosen = f"--set-json=chaos.namespaces={json.dumps(namespaces)}"
    line = ["install", "feem", str(helm.CHART), "--namespace", "feem-system", "--dry-run=client"]
    done = helm.run(*line, chosen, "--kubeconfig=/dev/null")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout.partition("NOTES:")[2]


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, "feem.dev/operator:0.1.0"),
        ({"image.tag": "0.1.0-rc1"}, "feem.dev/operator:0.1.0-rc1"),
        ({"image.repository": "registry.example:5000/feem"}, "registry.example:5000/feem:0.1.0"),
        ({"image.digest": "sha256:" + "a" * 64}, "feem.dev/operator@sha256:" + "a" * 64),
    ],
)
def test_every_image_has_a_tag_or_a_digest(values: Body, image: str) -> None:
    pod = helm.named(helm.render(values), "Deployment", "feem")["spec"]["template"]["spec"]
    assert [container["image"] for container in pod["containers"]] == [image]


def test_prometheus_is_shown_the_way(rendered: list[Body]) -> None:
    template = helm.named(rendered, "Deployment", "feem")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    annotations = template["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/port"] == str(container["ports"][0]["containerPort"])
    service = helm.named(rendered, "Service", "feem")
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    bodies = helm.render({"serviceMonitor.enabled": True})
    (monitor,) = helm.of_kind(bodies, "ServiceMonitor")
    assert monitor["spec"]["endpoints"][0]["honorLabels"] is True
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = helm.of_kind(bodies, "Service")
    found = {body["metadata"]["name"] for body in services if wanted <= body["metadata"]["labels"].items()}
    assert found == {"feem", "feem-reaper"}


def test_each_service_finds_the_pods_of_one_deployment(rendered: list[Body]) -> None:
    pods = {body["metadata"]["name"]: body["spec"]["template"]["metadata"]["labels"] for body in deployments(rendered)}
    assert set(pods) == {"feem", "feem-reaper"}
    for service in helm.of_kind(rendered, "Service"):
        selector = service["spec"]["selector"].items()
        assert [name for name, labels in pods.items() if selector <= labels.items()] == [service["metadata"]["name"]]


def deployments(bodies: list[Body]) -> list[Body]:
    return helm.of_kind(bodies, "Deployment")


def pod_of(bodies: list[Body]) -> Body:
    found: Body = helm.named(bodies, "Deployment", "feem")["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    ("values", "volume", "source", "file"),
    [
        (
            {"prometheus.ca.configMap": "bank-ca"},
            "prometheus-ca",
            {"configMap": {"name": "bank-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            ("FEEM_PROMETHEUS_CA_FILE", "/etc/feem/prometheus-ca/ca.crt"),
        ),
        (
            {"prometheus.ca.secret": "bank-ca", "prometheus.ca.key": "root.pem"},
            "prometheus-ca",
            {"secret": {"secretName": "bank-ca", "items": [{"key": "root.pem", "path": "root.pem"}]}},
            ("FEEM_PROMETHEUS_CA_FILE", "/etc/feem/prometheus-ca/root.pem"),
        ),
        (
            {"prometheus.token.secret": "reader"},
            "prometheus-token",
            {"secret": {"secretName": "reader", "items": [{"key": "token", "path": "token"}]}},
            ("FEEM_PROMETHEUS_TOKEN_FILE", "/etc/feem/prometheus-token/token"),
        ),
    ],
)
def test_trust_and_token_for_prometheus_are_mounted_where_the_operator_looks(
    values: Body, volume: str, source: Body, file: tuple[str, str]
) -> None:
    pod = pod_of(helm.render(values))
    (container,) = pod["containers"]
    assert {"name": volume, **source} in pod["volumes"]
    (mount,) = [item for item in container["volumeMounts"] if item["name"] == volume]
    assert mount["readOnly"] is True
    assert {"name": file[0], "value": file[1]} in container["env"]
    assert file[1].startswith(mount["mountPath"] + "/")
    assert len(pod["volumes"]) == len(container["volumeMounts"]) == 3


@pytest.mark.parametrize("owner", ["prometheus", "tickets.jira", "tickets.webhook"])
def test_authorities_from_two_places_are_refused(owner: str) -> None:
    done = helm.run("template", "feem", str(helm.CHART), f"--set={owner}.ca.configMap=a,{owner}.ca.secret=b")
    assert done.returncode != 0
    assert "ca" in done.stderr


JIRA: Body = {
    "tickets.jira.url": "https://jira.bank.example/jira",
    "tickets.jira.user": "release-pipeline",
    "tickets.jira.token.secret": "feem-jira",
    "tickets.jira.ca.configMap": "bank-ca",
}
ZENTAO: Body = {
    "tickets.webhook.url": "https://zentao.bank.example/stories?id={ticket}",
    "tickets.webhook.token.secret": "feem-zentao",
    "tickets.webhook.token.key": "bearer",
    "tickets.webhook.ca.secret": "zentao-ca",
    "tickets.webhook.ca.key": "root.pem",
}


def test_ticket_systems_are_reached_with_their_own_token_and_authorities() -> None:
    pod = pod_of(helm.render({**JIRA, **ZENTAO, "tickets.timeoutSeconds": 3}))
    (container,) = pod["containers"]
    env = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    assert {key: value for key, value in env.items() if key.startswith(("FEEM_JIRA", "FEEM_TICKET"))} == {
        "FEEM_JIRA_URL": "https://jira.bank.example/jira",
        "FEEM_JIRA_USER": "release-pipeline",
        "FEEM_JIRA_TOKEN_FILE": "/etc/feem/jira-token/token",
        "FEEM_JIRA_CA_FILE": "/etc/feem/jira-ca/ca.crt",
        "FEEM_TICKET_WEBHOOK_URL": "https://zentao.bank.example/stories?id={ticket}",
        "FEEM_TICKET_WEBHOOK_TOKEN_FILE": "/etc/feem/ticket-webhook-token/bearer",
        "FEEM_TICKET_WEBHOOK_CA_FILE": "/etc/feem/ticket-webhook-ca/root.pem",
        "FEEM_TICKET_TIMEOUT_SECONDS": "3",
    }
    assert {volume["name"]: volume for volume in pod["volumes"] if volume["name"] not in ALWAYS} == {
        "jira-token": secret("jira-token", "feem-jira", "token"),
        "jira-ca": {
            "name": "jira-ca",
            "configMap": {"name": "bank-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]},
        },
        "ticket-webhook-token": secret("ticket-webhook-token", "feem-zentao", "bearer"),
        "ticket-webhook-ca": secret("ticket-webhook-ca", "zentao-ca", "root.pem"),
    }
    mounts = [item for item in container["volumeMounts"] if item["name"] not in ALWAYS]
    assert all(
        item == {"name": item["name"], "mountPath": f"/etc/feem/{item['name']}", "readOnly": True} for item in mounts
    )
    assert len(mounts) == 4


def secret(volume: str, name: str, key: str) -> Body:
    return {"name": volume, "secret": {"secretName": name, "items": [{"key": key, "path": key}]}}


def test_a_token_for_no_system_is_not_mounted() -> None:
    pod = pod_of(helm.render({"tickets.jira.token.secret": "feem-jira", "tickets.webhook.ca.secret": "zentao-ca"}))
    assert [volume["name"] for volume in pod["volumes"]] == ALWAYS
    assert [mount["name"] for mount in pod["containers"][0]["volumeMounts"]] == ALWAYS


def test_alerts_are_those_of_the_rule_file() -> None:
    (rule,) = helm.of_kind(
        helm.render({"prometheusRule.enabled": True, "prometheusRule.labels": {"team": "platform"}}), "PrometheusRule"
    )
    assert rule["metadata"]["labels"]["team"] == "platform"
    assert rule["spec"] == yaml.safe_load((helm.CHART / "files/alerts/feem.yaml").read_text())
    assert not helm.of_kind(helm.render(), "PrometheusRule")


def without_chart_marks(body: Body) -> Body:
    metadata = {key: value for key, value in body["metadata"].items() if key != "labels"}
    kept = {k: v for k, v in (metadata.pop("annotations", None) or {}).items() if k != "helm.sh/resource-policy"}
    return {**body, "metadata": {**metadata, **({"annotations": kept} if kept else {})}}


def files(folder: str, username: str = OPERATOR) -> list[Body]:
    texts = [path.read_text().replace(OPERATOR, username) for path in sorted((ROOT / folder).glob("*.yaml"))]
    return [body for text in texts for body in yaml.safe_load_all(text) if body]


def in_order(bodies: list[Body]) -> list[Body]:
    return sorted(bodies, key=lambda body: (body["kind"], body["metadata"]["name"]))


def test_it_carries_exactly_the_repositorys_definitions(rendered: list[Body]) -> None:
    shipped = helm.of_kind(rendered, "CustomResourceDefinition")
    originals = [without_chart_marks(body) for body in files("crds")]
    assert in_order([without_chart_marks(body) for body in shipped]) == in_order(originals)
    assert all(body["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for body in shipped)
    loose = helm.of_kind(helm.render({"crds.keep": False}), "CustomResourceDefinition")
    assert all("helm.sh/resource-policy" not in body["metadata"].get("annotations", {}) for body in loose)
    assert not helm.of_kind(helm.render({"crds.install": False}), "CustomResourceDefinition")


def policies(bodies: list[Body]) -> list[Body]:
    return in_order([body for body in bodies if "AdmissionPolicy" in body["kind"]])


def test_it_carries_exactly_the_repositorys_policies(rendered: list[Body]) -> None:
    assert policies(rendered) == in_order(files("policies"))
    assert not policies(helm.render({"policies.install": False}))


def test_the_policies_know_the_operator_wherever_it_is_installed() -> None:
    elsewhere = helm.render({"serviceAccount.name": "grey"}, namespace="bank-platform")
    assert policies(elsewhere) == in_order(files("policies", "system:serviceaccount:bank-platform:grey"))
    assert OPERATOR not in yaml.safe_dump_all(elsewhere)
    subjects = {
        body["metadata"]["name"]: body["subjects"]
        for body in elsewhere
        if body["kind"].endswith("Binding") and "subjects" in body
    }
    accounts = {"feem-operator": "grey", "feem-leader": "grey", "feem-reaper": f"grey{REAPER_SUFFIX}"}
    assert subjects == {
        role: [{"kind": "ServiceAccount", "name": name, "namespace": "bank-platform"}]
        for role, name in accounts.items()
    }


@pytest.mark.parametrize(
    ("account", "namespace"), [("feem", "feem-system"), ("grey", "bank-platform"), ("feem-reaper", "feem-system")]
)
def test_the_reaper_is_who_the_policies_take_it_for(account: str, namespace: str) -> None:
    """In the chart, and in the operator, which compares the policies with what it has itself."""
    bodies = helm.render({"serviceAccount.name": account, "serviceAccount.create": False}, namespace=namespace)
    username = f"system:serviceaccount:{namespace}:{account}{REAPER_SUFFIX}"
    pod = helm.named(bodies, "Deployment", "feem-reaper")["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account + REAPER_SUFFIX
    (made,) = helm.of_kind(bodies, "ServiceAccount")
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (account + REAPER_SUFFIX, namespace)
    policy = helm.named(bodies, "ValidatingAdmissionPolicy", "reaper.feem.dev")
    assert policy["spec"]["matchConditions"][0]["expression"] == f"request.userInfo.username == '{username}'"
    operator = environment(bodies, "feem")["FEEM_SERVICE_ACCOUNT_USERNAME"]
    assert policies(bodies) == in_order(list(PackagedPolicies(operator, mutating=True).shipped()))


def test_the_hold_is_left_out_where_the_api_server_lacks_it() -> None:
    old = ("--kube-version", "1.33.0", "--api-versions", "v1")
    kinds = {body["kind"] for body in policies(helm.render({"policies.hold": "Never"}, versions=old))}
    assert kinds == {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    kinds = {body["kind"] for body in policies(helm.render({"policies.hold": "Always"}, versions=old))}
    assert "MutatingAdmissionPolicy" in kinds


def test_objects_are_named_once_and_stay_in_their_namespace(rendered: list[Body]) -> None:
    names = [(body["kind"], body["metadata"].get("namespace"), body["metadata"]["name"]) for body in rendered]
    assert len(names) == len(set(names))
    assert {namespace for _, namespace, _ in names} <= {None, "feem-system"}


def test_a_second_pod_may_always_be_drained(rendered: list[Body]) -> None:
    budget = helm.named(rendered, "PodDisruptionBudget", "feem")
    labels = helm.named(rendered, "Deployment", "feem")["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_dashboard_arrives_byte_for_byte(rendered: list[Body]) -> None:
    config = helm.named(rendered, "ConfigMap", "feem-dashboard")
    original = (helm.CHART / "files/dashboards/feem.json").read_text()
    assert config["data"]["feem.json"].strip() == original.strip()
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"


def described(values: Any, prefix: str = "") -> set[str]:
    if not isinstance(values, dict) or not values or prefix in {"resources", "dashboard.labels"}:
        return {prefix}
    return {name for key, inner in values.items() for name in described(inner, f"{prefix}.{key}".strip("."))}


def test_the_readme_names_every_value() -> None:
    text = (helm.CHART / "README.md").read_text()
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    told: set[str] = set()
    for row in rows:
        parent = ""
        for name in re.findall(r"`([A-Za-z.]+)`", row):
            full = parent + name if name.startswith(".") else name
            parent = full.rpartition(".")[0]
            told.add(full)
    assert described(yaml.safe_load((helm.CHART / "values.yaml").read_text())) <= told
