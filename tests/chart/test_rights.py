"""What the operator and people may do: enough for every effect, and nothing beyond."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from feem.adapters.kubernetes.resources import WATCHED
from feem.api import KINDS
from tests.chart import helm
from tests.chart.helm import Body

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WRITES = {
    ("deployments.apps", "patch"): "Govern, Ungovern, Unpause, SettleDeployment, Pause, ApplyCanary",
    ("deployments.apps", "create"): "ApplyCanary",
    ("deployments.apps", "delete"): "DeleteCanary",
    ("services", "patch"): "PinService, UnpinService",
    ("services", "update"): "UnpinService gives the field ownership back",
    ("services", "create"): "ApplyCanary",
    ("services", "delete"): "DeleteCanary",
    ("httproutes.gateway.networking.k8s.io", "update"): "SetWeight, RestoreRoute",
    ("httproutes.gateway.networking.k8s.io", "create"): "a fault's own route",
    ("httproutes.gateway.networking.k8s.io", "patch"): "a fault's own route",
    ("httproutes.gateway.networking.k8s.io", "delete"): "a fault's own route",
    ("backendtrafficpolicies.gateway.envoyproxy.io", "create"): "httpAbort, httpLatency",
    ("backendtrafficpolicies.gateway.envoyproxy.io", "patch"): "httpAbort, httpLatency beside a team's own settings",
    ("backendtrafficpolicies.gateway.envoyproxy.io", "delete"): "httpAbort, httpLatency",
    ("networkpolicies.networking.k8s.io", "create"): "networkPartition, dependencyCut",
    ("networkpolicies.networking.k8s.io", "delete"): "networkPartition, dependencyCut",
    ("pods", "patch"): "a fault's mark; podFailure",
    ("pods", "delete"): "podKill, Kill",
    ("pods/eviction", "create"): "podKill, Evict",
    ("pods/resize", "patch"): "cpuPressure, memoryPressure",
    ("chaosruns.feem.dev", "create"): "those of schedules and releases",
    ("chaosruns.feem.dev", "patch"): "the clean-up finalizer",
    ("chaosruns.feem.dev", "delete"): "old ones",
    ("releases.feem.dev", "create"): "CreateRelease",
    ("releases.feem.dev", "patch"): "the clean-up finalizer",
    ("managedservices.feem.dev", "patch"): "the clean-up finalizer",
    ("auditrecords.feem.dev", "create"): "the ledger",
    ("auditrecords.feem.dev", "delete"): "retention; a policy allows it for what is published",
    ("auditlogs.feem.dev", "create"): "the publisher, once",
    ("auditlogs/status.feem.dev", "update"): "the publisher",
    ("events.events.k8s.io", "create"): "events",
    ("events.events.k8s.io", "patch"): "a series of events",
    ("configmaps", "create"): "the archive of evidence",
    ("subjectaccessreviews.authorization.k8s.io", "create"): "asks for a decision's right, changes nothing",
}
STATUS = (
    "managedservices",
    "greyreleaseplans",
    "servicelevelobjectives",
    "releases",
    "decisions",
    "changewindows",
    "complianceprofiles",
    "chaosexperiments",
    "chaosruns",
)
OWNERS = ("managedservices", "releases", "chaosexperiments", "chaosruns")
READS = {"get", "list", "watch"}


@pytest.fixture(scope="module")
def rendered() -> list[Body]:
    return helm.render()


REAPER = {
    ("pods", "patch"),
    ("pods/resize", "patch"),
    ("deployments.apps", "patch"),
    ("backendtrafficpolicies.gateway.envoyproxy.io", "patch"),
    ("backendtrafficpolicies.gateway.envoyproxy.io", "delete"),
    ("httproutes.gateway.networking.k8s.io", "delete"),
    ("networkpolicies.networking.k8s.io", "delete"),
    ("chaosruns.feem.dev", "patch"),
    ("events.events.k8s.io", "create"),
    ("events.events.k8s.io", "patch"),
}
REAPER_LOOKS = (
    "pods",
    "deployments.apps",
    "backendtrafficpolicies.gateway.envoyproxy.io",
    "httproutes.gateway.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "chaosruns.feem.dev",
    "chaoshalts.feem.dev",
)


def rights(role: Body) -> set[tuple[str, str]]:
    return {
        (f"{resource}.{group}".rstrip("."), verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_no_rule_has_a_wildcard(rendered: list[Body]) -> None:
    for role in (*helm.of_kind(rendered, "ClusterRole"), *helm.of_kind(rendered, "Role")):
        for rule in role["rules"]:
            for field in ("apiGroups", "resources", "verbs"):
                assert "*" not in "".join(rule[field]), role["metadata"]["name"]
            assert "nonResourceURLs" not in rule


def test_the_operator_writes_what_its_effects_need_and_nothing_else(rendered: list[Body]) -> None:
    granted = rights(helm.named(rendered, "ClusterRole", "feem-operator"))
    writes = {(resource, verb) for resource, verb in granted if verb not in READS}
    expected = set(WRITES)
    expected |= {(f"{plural}/status.feem.dev", verb) for plural in STATUS for verb in ("update", "patch")}
    expected |= {(f"{plural}/finalizers.feem.dev", "update") for plural in OWNERS}
    assert writes == expected


def test_the_operator_reads_everything_it_keeps_a_copy_of(rendered: list[Body]) -> None:
    granted = rights(helm.named(rendered, "ClusterRole", "feem-operator"))
    needed = {(resource, verb) for resource in WATCHED for verb in READS}
    needed |= {("customresourcedefinitions.apiextensions.k8s.io", "watch")}
    needed |= {("auditrecords.feem.dev", "get"), ("auditrecords.feem.dev", "list"), ("auditlogs.feem.dev", "get")}
    needed |= {
        (f"{plural}.feem.dev", verb) for plural in ("chaosexperiments", "chaosruns", "chaoshalts") for verb in READS
    }
    needed |= {("poddisruptionbudgets.policy", "list"), ("horizontalpodautoscalers.autoscaling", "list")}
    needed |= {("pods", "get"), ("pods", "list"), ("namespaces", "get")}
    assert needed <= granted


def test_the_reaper_may_take_back_and_nothing_else(rendered: list[Body]) -> None:
    """Without a watch, a status, a record or a Lease: it has to do its work where everything else has failed."""
    granted = rights(helm.named(rendered, "ClusterRole", "feem-reaper"))
    assert granted == REAPER | {(resource, verb) for resource in REAPER_LOOKS for verb in ("get", "list")}
    bindings = [body for kind in ("ClusterRoleBinding", "RoleBinding") for body in helm.of_kind(rendered, kind)]
    (bound,) = [body for body in bindings if any(item["name"] == "feem-reaper" for item in body["subjects"])]
    assert bound["roleRef"]["name"] == "feem-reaper"


def test_every_right_of_the_reaper_that_changes_a_workload_is_narrowed_by_its_policy() -> None:
    (policy, _) = yaml.safe_load_all((ROOT / "policies" / "reaper.yaml").read_text())
    covered = {
        (f"{resource}.{group}".rstrip("."), operation)
        for rule in policy["spec"]["matchConstraints"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for operation in rule["operations"]
    }
    operations = {"patch": "UPDATE", "delete": "DELETE"}
    asked = {(resource, operations[verb]) for resource, verb in REAPER if not resource.startswith("events")}
    assert {(resource.replace("/resize", "/*"), operation) for resource, operation in asked} <= covered


def test_people_only_read_the_audit_log_and_nobody_changes_a_record(rendered: list[Body]) -> None:
    for role in helm.of_kind(rendered, "ClusterRole"):
        log = {right for right in rights(role) if right[0].startswith(("auditrecords", "auditlogs"))}
        if role["metadata"]["name"] == "feem-operator":
            verbs = {verb for resource, verb in log if resource == "auditrecords.feem.dev"}
            assert verbs == {"create", "get", "list", "delete"}
            assert {verb for resource, verb in log if resource == "auditlogs.feem.dev"} == {"create", "get"}
        else:
            assert {verb for _, verb in log} <= READS, role["metadata"]["name"]


def test_auditors_read_the_log_and_its_head_and_nothing_else(rendered: list[Body]) -> None:
    auditor = rights(helm.named(rendered, "ClusterRole", "feem-auditor"))
    assert auditor == {(f"{plural}.feem.dev", verb) for plural in ("auditrecords", "auditlogs") for verb in READS}


def test_no_role_gives_a_right_on_secrets(rendered: list[Body]) -> None:
    """The keys of the audit log are in a Secret: whoever reads it can sign another history."""
    roles = [*helm.of_kind(rendered, "ClusterRole"), *helm.of_kind(rendered, "Role")]
    assert len(roles) > 9
    for role in roles:
        for rule in role["rules"]:
            found = {resource.partition("/")[0] for resource in rule["resources"]}
            assert not found & {"secrets", "serviceaccounts", "*"}, role["metadata"]["name"]
            assert not set(rule["verbs"]) & {"*", "escalate", "bind", "impersonate"}, role["metadata"]["name"]


PODS = {
    "feem-operator": {
        *(("pods", verb) for verb in ("get", "list", "patch", "delete")),
        ("pods/eviction", "create"),
        ("pods/resize", "patch"),
    },
    "feem-reaper": {("pods", "get"), ("pods", "list"), ("pods", "patch"), ("pods/resize", "patch")},
}
"""A pod that somebody makes, or a command in one, reads the Secrets of its namespace. A patch of a pod adds no volume to it."""


def test_nobody_makes_pods_or_runs_commands_in_them(rendered: list[Body]) -> None:
    for role in (*helm.of_kind(rendered, "ClusterRole"), *helm.of_kind(rendered, "Role")):
        found = {right for right in rights(role) if right[0].partition("/")[0] == "pods"}
        assert found == PODS.get(role["metadata"]["name"], set()), role["metadata"]["name"]


def test_the_operator_sees_no_secrets_or_roles(rendered: list[Body]) -> None:
    roles = [helm.named(rendered, "ClusterRole", "feem-operator"), helm.named(rendered, "Role", "feem-leader")]
    granted = {right for role in roles for right in rights(role)}
    resources = {resource for resource, _ in granted}
    assert not resources & {"secrets", "serviceaccounts"}
    assert {verb for resource, verb in granted if resource == "configmaps"} == {"create"}, "written, never read"
    assert not [resource for resource in resources if resource.endswith("rbac.authorization.k8s.io")]


def test_only_its_own_lease_in_its_own_namespace(rendered: list[Body]) -> None:
    role = helm.named(rendered, "Role", "feem-leader")
    assert role["metadata"]["namespace"] == "feem-system"
    create, change = role["rules"]
    assert (create["resources"], create["verbs"]) == (["leases"], ["create"])
    assert (change["resources"], change["resourceNames"]) == (["leases"], ["feem"])
    assert set(change["verbs"]) == {"get", "update"}


def test_roles_of_people_join_the_built_in_ones(rendered: list[Body]) -> None:
    view, edit = (helm.named(rendered, "ClusterRole", name) for name in ("feem-view", "feem-edit"))
    join = "rbac.authorization.k8s.io/aggregate-to-"
    assert {key for key in view["metadata"]["labels"] if key.startswith(join)} == {
        f"{join}{role}" for role in ("view", "edit", "admin")
    }
    assert {key for key in edit["metadata"]["labels"] if key.startswith(join)} == {
        f"{join}{role}" for role in ("edit", "admin")
    }
    namespaced = {f"{kind.definition.plural}.feem.dev" for kind in KINDS} - {"auditrecords.feem.dev"}
    assert {(resource, verb) for resource in namespaced for verb in READS} <= rights(view)
    assert {verb for _, verb in rights(view)} == READS


def test_product_teams_decide_but_do_not_rewrite_history(rendered: list[Body]) -> None:
    edit = rights(helm.named(rendered, "ClusterRole", "feem-edit"))
    assert {verb for resource, verb in edit if resource == "decisions.feem.dev"} == {"create"}
    assert not [right for right in edit if right[0] == "releases.feem.dev" or "/status" in right[0]]
    assert ("managedservices.feem.dev", "delete") in edit


def test_product_teams_try_their_own_services_and_stop_their_own_runs(rendered: list[Body]) -> None:
    edit = rights(helm.named(rendered, "ClusterRole", "feem-edit"))
    chaos = {right for right in edit if right[0].startswith("chaos")}
    assert chaos == {("chaosexperiments.feem.dev", verb) for verb in ("create", "update", "patch", "delete")} | {
        ("chaosruns.feem.dev", verb) for verb in ("create", "patch", "delete")
    }


def test_a_resilience_team_has_experiments_runs_and_the_switch(rendered: list[Body]) -> None:
    granted = rights(helm.named(rendered, "ClusterRole", "feem-chaos"))
    view = rights(helm.named(rendered, "ClusterRole", "feem-view"))
    assert {right for right in granted if right[1] in READS} == view
    edit = rights(helm.named(rendered, "ClusterRole", "feem-edit"))
    chaos = {right for right in edit if right[0].startswith("chaos")}
    assert granted - view == chaos | {("chaoshalts.feem.dev", verb) for verb in ("create", "delete")}


ROLES = ("product", "dev", "test", "risk", "compliance", "committee")


@pytest.mark.parametrize("role", ROLES)
def test_everybody_of_a_change_sees_it_decides_and_counts_in_one_role(rendered: list[Body], role: str) -> None:
    body = helm.named(rendered, "ClusterRole", f"feem-{role}")
    granted = rights(body)
    view = rights(helm.named(rendered, "ClusterRole", "feem-view"))
    assert {right for right in granted if right[1] in READS} == view
    assert ("decisions.feem.dev", "create") in granted
    counted = [rule for rule in body["rules"] if "approvalroles" in rule["resources"]]
    assert [(rule["resourceNames"], rule["verbs"]) for rule in counted] == [([role], ["approve", "signoff"])]
    assert not [right for right in granted if "/status" in right[0]]


MORE = {
    ("releases.feem.dev", "patch"): {"product", "dev", "test"},
    ("releases.feem.dev", "breakglass"): {"committee"},
    **{("changewindows.feem.dev", verb): {"risk", "compliance"} for verb in ("create", "update", "patch", "delete")},
    **{
        ("complianceprofiles.feem.dev", verb): {"compliance"}
        for verb in ("create", "update", "patch", "delete", "assign")
    },
    ("chaoshalts.feem.dev", "create"): set(ROLES),
    ("chaoshalts.feem.dev", "delete"): {"compliance", "committee"},
}


def test_what_else_the_roles_give(rendered: list[Body]) -> None:
    common = {("decisions.feem.dev", "create"), ("approvalroles.feem.dev", "approve")}
    common |= {("approvalroles.feem.dev", "signoff")}
    found: dict[tuple[str, str], set[str]] = {}
    for role in ROLES:
        for right in rights(helm.named(rendered, "ClusterRole", f"feem-{role}")) - common:
            if right[1] not in READS:
                found.setdefault(right, set()).add(role)
    assert found == MORE
