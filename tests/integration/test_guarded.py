"""Guard rails: what a governed release depends on is changed by nobody but the operator, a cluster-admin included.

Everything else goes on as on any cluster: controllers make pods, namespaces go, owners change what is theirs.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.cluster import Cluster
from tests.integration.adapter import ensure_gateway_api
from tests.integration.conftest import OPERATOR, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.operator import NAME, deployment, managed, route, service, until
from tests.integration.people import DIGEST, People, decision, hours_from_now, install_roles, release

pytestmark = pytest.mark.integration

CANARY = f"{NAME}-canary"
TRACK = {"feem.dev/track": "canary"}
RELEASE = f"{NAME}-2-r1"


@dataclass(frozen=True)
class Room:
    """A namespace with a governed service in the middle of a release, and who acts in it. `admin` may do everything."""

    admin: Kubectl
    operator: Kubectl
    people: People

    @property
    def namespace(self) -> str:
        return self.operator.namespace

    def replica_set(self, name: str = NAME) -> str:
        sets = self.admin.read("replicasets", f"--selector=app={NAME}")["items"]
        owned = [item for item in sets if item["metadata"]["ownerReferences"][0]["name"] == name]
        return str(owned[0]["metadata"]["name"])

    def pod(self, of: str = NAME) -> str:
        pods = self.admin.read("pods")["items"]
        prefix = self.replica_set(of)
        return next(str(item["metadata"]["name"]) for item in pods if item["metadata"]["name"].startswith(prefix))


def canary_deployment() -> Manifest:
    body = deployment(CANARY, "2", replicas=1)
    labels = {"app": NAME, **TRACK}
    body["metadata"]["labels"] = dict(TRACK)
    body["spec"]["selector"] = {"matchLabels": labels}
    body["spec"]["template"]["metadata"]["labels"] = labels
    return body


def canary_service() -> Manifest:
    body = service(CANARY, selector={"app": NAME, **TRACK})
    body["metadata"]["labels"] = dict(TRACK)
    return body


@pytest.fixture(scope="module")
def room(cluster: Cluster, as_user: AsUser) -> Iterator[Room]:
    """team-dev's service is governed and releases version 2: canary, split traffic, pinned Service."""
    everybody = as_user("platform-admin")
    ensure_gateway_api(cluster, everybody)
    install_roles(everybody)
    name = f"guarded-{uuid.uuid4().hex[:8]}"
    everybody.done("create", "namespace", name)
    admin, operator = everybody.within(name), as_user(OPERATOR).within(name)
    found = Room(admin, operator, People(cluster, admin, name))
    for body in (deployment(), service(), route(), managed(mode="Enforce")):
        admin.done("create", manifest=body)
    status = {"podSelector": {"app": NAME}}
    write_status(operator, "managedservice", NAME, status)
    patch(operator, "managedservice", NAME, {"metadata": {"finalizers": ["feem.dev/cleanup"]}})
    operator.done("label", "deployment", NAME, f"feem.dev/governed={NAME}")
    for body in (canary_deployment(), canary_service()):
        operator.done("create", manifest=body)
    until("the pods", lambda: len(admin.read("pods")["items"]) == 4)
    admin.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    pin = found.replica_set().removeprefix(f"{NAME}-")
    patch(operator, "service", NAME, {"spec": {"selector": {"pod-template-hash": pin}}})
    operator.done("annotate", "httproute", NAME, f"feem.dev/traffic={RELEASE}/1/forward", "feem.dev/intent=7")
    operator.done("create", manifest=release(RELEASE, requestedBy="team-dev"))
    yield found
    patch(operator, "managedservice", NAME, {"metadata": {"finalizers": None}})
    everybody.done("delete", "namespace", name, "--wait=false")


def patch(user: Kubectl, kind: str, name: str, body: Manifest, *more: str) -> None:
    user.done("patch", kind, name, "--type=merge", f"--patch={json.dumps(body)}", *more)


def write_status(user: Kubectl, kind: str, name: str, status: Manifest) -> None:
    patch(user, kind, name, {"status": status}, "--subresource=status")


def merge(body: Any) -> tuple[str, str]:
    return "--type=merge", f"--patch={json.dumps(body)}"


def template(labels: dict[str, str], name: str = "lookalike") -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "unreleased:9"}]}
    return {"metadata": {"labels": labels, "name": name}, "spec": pod}


def workload(kind: str, labels: dict[str, str]) -> Manifest:
    """A workload of any kind whose pods have these labels; nothing else of it matters."""
    selector = {"matchLabels": {"app": NAME}} if labels.get("app") == NAME else {"matchLabels": labels}
    inner = template(labels)
    specs: dict[str, tuple[str, Manifest]] = {
        "Pod": ("v1", inner["spec"]),
        "ReplicationController": ("v1", {"replicas": 0, "selector": labels, "template": always(inner)}),
        "ReplicaSet": ("apps/v1", {"replicas": 0, "selector": selector, "template": always(inner)}),
        "Deployment": ("apps/v1", {"replicas": 0, "selector": selector, "template": always(inner)}),
        "StatefulSet": (
            "apps/v1",
            {"replicas": 0, "selector": selector, "serviceName": "x", "template": always(inner)},
        ),
        "DaemonSet": ("apps/v1", {"selector": selector, "template": always(inner)}),
        "Job": ("batch/v1", {"suspend": True, "template": inner}),
        "CronJob": (
            "batch/v1",
            {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": inner}}},
        ),
    }
    version, spec = specs[kind]
    metadata = {"generateName": "lookalike-", **({"labels": labels} if kind == "Pod" else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def always(inner: Manifest) -> Manifest:
    return {**inner, "spec": {key: value for key, value in inner["spec"].items() if key != "restartPolicy"}}


KINDS = ["Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_else_makes_pods_that_the_service_would_find(room: Room, kind: str) -> None:
    labels = {"app": NAME, "tier": "web"}
    told = room.admin.refused("create", "--dry-run=server", manifest=workload(kind, labels))
    assert f"Service {NAME} would send users to these pods" in told
    assert f"only releases of Deployment {NAME} reach users" in told
    room.admin.done("create", "--dry-run=server", manifest=workload(kind, {"app": "batch"}))
    room.operator.done("create", "--dry-run=server", manifest=workload(kind, labels))


def test_nor_turns_pods_into_such(room: Room) -> None:
    for kind in ("Pod", "Deployment"):
        body = workload(kind, {"app": "batch"})
        body["metadata"] = {"name": "batch", "labels": {"app": "batch"}}
        room.admin.done("create", manifest=body)
    assert "would send users to these pods" in room.admin.refused("label", "pod", "batch", f"app={NAME}", "--overwrite")
    join = {"spec": {"template": {"metadata": {"labels": {"app": NAME}}}}}
    room.admin.done("delete", "deployment", "batch")
    body = workload("Deployment", {"role": "batch"})
    body["metadata"] = {"name": "batch"}
    room.admin.done("create", manifest=body)
    assert "would send users to these pods" in room.admin.refused("patch", "deployment", "batch", *merge(join))
    room.admin.done("label", "pod", "batch", "tier=gold")
    room.admin.done("set", "image", "deployment/batch", "app=batch:2")
    room.admin.done("delete", "pod,deployment", "batch")


Words = tuple[str, ...]


def attempt(name: str, words: Words, *told: str) -> Any:
    """What somebody tries, and parts of the answer. REPLICASET and POD stand for names that only the cluster knows."""
    return pytest.param(words, told, id=name)


IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "unreleased:9"}]}}}}
DEBUG = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}
SPLIT = "a release is splitting the traffic of HTTPRoute"
CARE = "which is under FEEM's care"
CANARIES = "nobody else makes, changes, scales or deletes them"
PINNED = f"to the stable pods of {NAME}: wait for it"
UNWEIGHTED = {"spec": {"rules": [{"backendRefs": [{"name": CANARY, "port": 80, "weight": 100}]}]}}
HANDS = [
    attempt("image-of-the-replicaset", ("patch", "replicaset", "REPLICASET", *merge(IMAGE)), CARE),
    attempt(
        "replicas-of-the-replicaset",
        ("patch", "rs", "REPLICASET", *merge({"spec": {"replicas": 9}})),
        CARE,
    ),
    attempt("replicaset-scaled", ("scale", "replicaset", "REPLICASET", "--replicas=9"), CARE),
    attempt("replicaset-deleted", ("delete", "replicaset", "REPLICASET"), CARE),
    attempt(
        "replicaset-orphaned",
        ("patch", "rs", "REPLICASET", *merge({"metadata": {"ownerReferences": None}})),
        CARE,
    ),
    attempt(
        "image-of-a-pod",
        ("set", "image", "pod/POD", "app=unreleased:9"),
        f"change the image of Deployment {NAME} instead",
    ),
    attempt(
        "image-of-a-canary-pod",
        ("set", "image", "pod/CANARY-POD", "app=unreleased:9"),
        f"change the image of Deployment {NAME} instead",
    ),
    attempt(
        "ephemeral-container",
        ("patch", "pod", "POD", "--subresource=ephemeralcontainers", f"--patch={json.dumps(DEBUG)}"),
        "debug a copy of it (kubectl debug",
    ),
    attempt("canary-scaled", ("scale", "deployment", CANARY, "--replicas=9"), CANARIES, "decide Abort"),
    attempt("canary-replicas", ("patch", "deployment", CANARY, *merge({"spec": {"replicas": 9}})), CANARIES),
    attempt("canary-image", ("set", "image", f"deployment/{CANARY}", "app=unreleased:9"), CANARIES),
    attempt("canary-deleted", ("delete", "deployment", CANARY), CANARIES),
    attempt("canary-unlabelled", ("label", "deployment", CANARY, "feem.dev/track-"), CANARIES),
    attempt("canarys-replicaset-scaled", ("scale", "rs", "CANARY-REPLICASET", "--replicas=9"), CANARIES),
    attempt("canarys-replicaset-image", ("patch", "rs", "CANARY-REPLICASET", *merge(IMAGE)), CANARIES),
    attempt("canary-service-deleted", ("delete", "service", CANARY), CANARIES),
    attempt("canary-service-selector", ("set", "selector", "service", CANARY, f"app={NAME}"), CANARIES),
    attempt("label-of-a-canary", ("label", "service", NAME, "feem.dev/track=canary"), CANARIES),
    attempt("weight", ("patch", "httproute", NAME, *merge(UNWEIGHTED)), SPLIT, f"kubectl get rel {RELEASE} -n"),
    attempt("mark-of-the-route", ("annotate", "httproute", NAME, "feem.dev/traffic-"), SPLIT),
    attempt("intent-of-the-route", ("annotate", "httproute", NAME, "feem.dev/intent=8", "--overwrite"), SPLIT),
    attempt("route-deleted", ("delete", "httproute", NAME), SPLIT, "or decide Abort"),
    attempt(
        "service-unpinned",
        ("patch", "service", NAME, *merge({"spec": {"selector": {"pod-template-hash": None}}})),
        PINNED,
    ),
    attempt("pinned-service-deleted", ("delete", "service", NAME), PINNED),
    attempt(
        "status-of-a-release",
        (
            "patch",
            "release.feem.dev",
            RELEASE,
            "--subresource=status",
            *merge({"status": {"binding": DIGEST}}),
        ),
        f"only the FEEM operator writes the status of Release {RELEASE}",
    ),
    attempt(
        "status-of-a-service",
        ("patch", "msvc", NAME, "--subresource=status", *merge({"status": {"podSelector": None}})),
        "only the FEEM operator writes the status of ManagedService",
    ),
    attempt("label-of-a-release", ("label", "release.feem.dev", RELEASE, "a=b"), "is FEEM's record"),
    attempt(
        "finalizer-of-a-release",
        ("patch", "release.feem.dev", RELEASE, *merge({"metadata": {"finalizers": ["x.example/y"]}})),
        "only annotations can be added to it",
    ),
    attempt(
        "feems-annotation-of-a-release",
        ("annotate", "release.feem.dev", RELEASE, "feem.dev/intent=8"),
        "annotation feem.dev/intent is FEEM's own",
    ),
    attempt(
        "finalizer-of-a-service",
        ("patch", "msvc", NAME, *merge({"metadata": {"finalizers": None}})),
        f"it goes by itself once Deployment {NAME} is given back",
    ),
]


@pytest.mark.parametrize(("words", "told"), HANDS)
def test_by_hand_it_is_refused_and_the_operator_may(room: Room, words: Words, told: tuple[str, ...]) -> None:
    names: dict[str, Callable[[], str]] = {
        "CANARY-REPLICASET": lambda: room.replica_set(CANARY),
        "CANARY-POD": lambda: room.pod(CANARY),
        "REPLICASET": room.replica_set,
        "POD": room.pod,
    }
    chosen = list(words)
    for name, found in names.items():
        chosen = [word.replace(name, found()) if name in word else word for word in chosen]
    answer = room.admin.refused(*chosen)
    assert "Forbidden" in answer or "forbidden" in answer
    for part in told:
        assert part in answer
    room.operator.done(*chosen, "--dry-run=server")


def test_a_canary_or_a_release_made_by_hand_is_refused(room: Room) -> None:
    elsewhere = workload("Deployment", {"app": "batch"})
    elsewhere["metadata"]["labels"] = TRACK
    another = canary_service()
    another["metadata"]["name"] += "-2"
    for made in (elsewhere, another):
        assert CANARIES in room.admin.refused("create", "--dry-run=server", manifest=made)
        room.operator.done("create", "--dry-run=server", manifest=made)
    told = room.admin.refused("create", manifest=release("by-hand-1"))
    assert "only FEEM creates Releases: change the Deployment to ask for one" in told
    marked = route("other")
    marked["metadata"]["annotations"] = {"feem.dev/traffic": f"{RELEASE}/1/forward"}
    assert SPLIT in room.admin.refused("create", manifest=marked)


def test_what_does_no_harm_stays_everybodys(room: Room) -> None:
    room.admin.done("delete", "pod", room.pod(), "--wait=false")
    until("another pod", lambda: len([p for p in room.admin.read("pods")["items"] if running(p)]) == 4)
    room.admin.done("scale", "deployment", NAME, "--replicas=4")
    room.admin.done("scale", "deployment", NAME, "--replicas=3")
    room.admin.done("annotate", "deployment", CANARY, "mesh.example/seen=yes")
    room.admin.done("label", "httproute", NAME, "team=lending")
    room.admin.done("annotate", "service", NAME, "lb.example/pool=7")
    room.admin.done("label", "service", NAME, "team=lending")
    room.admin.done("label", "pod", room.pod(), "debug=yes")
    notes = ("feem.dev/evidence-test-report=" + DIGEST, "feem.dev/ticket=PAY-1", "feem.dev/requirements=REQ-1", "a=b")
    room.admin.done("annotate", "release.feem.dev", RELEASE, *notes)
    tester = room.people.of("test", "test-lead")
    tester.done("annotate", "release.feem.dev", RELEASE, "feem.dev/evidence-sbom=" + DIGEST)
    assert "is FEEM's record" in tester.refused("label", "release.feem.dev", RELEASE, "a=b")


def running(pod: Manifest) -> bool:
    return "deletionTimestamp" not in pod["metadata"]


def test_a_record_stays_while_something_is_owed_or_it_is_kept(room: Room) -> None:
    room.operator.done("create", manifest=release("ended-1"))
    write_status(room.operator, "release.feem.dev", "ended-1", {"signOff": {"role": "risk", "due": hours_from_now(9)}})
    for user in (room.admin, room.operator):
        told = user.refused("delete", "release.feem.dev", "ended-1")
        assert "a sign-off is owed for Release ended-1: somebody of role risk has to decide SignOff first" in told
    done = {
        "type": "SignedOff",
        "status": "True",
        "reason": "SignedOff",
        "message": "",
        "lastTransitionTime": hours_from_now(0),
    }
    kept = hours_from_now(24)
    write_status(room.operator, "release.feem.dev", "ended-1", {"conditions": [done], "retainUntil": kept})
    told = room.admin.refused("delete", "release.feem.dev", "ended-1")
    assert f"is kept as a record until {kept}" in told
    write_status(room.operator, "release.feem.dev", "ended-1", {"retainUntil": None})
    room.admin.done("delete", "release.feem.dev", "ended-1")


def test_a_service_leaves_its_profile_only_with_the_right_to_assign_it(room: Room) -> None:
    room.people.bind("admin", "bank-owners")
    room.people.bind("feem-edit", "bank-owners")
    owner = room.people("team-lead", "bank-owners")
    body = managed("reporting", complianceProfile="standard", workload={"name": "reporting"})
    body["metadata"]["labels"] = {"tier": "one", "helm.sh/chart": "reporting-1"}
    owner.done("create", manifest=body)
    for words, what in (
        (("patch", "msvc", "reporting", *merge({"spec": {"complianceProfile": "pilot"}})), "spec.complianceProfile"),
        (("patch", "msvc", "reporting", *merge({"spec": {"complianceProfile": None}})), "spec.complianceProfile"),
        (("patch", "msvc", "reporting", *merge({"spec": {"mode": "Observe"}})), "spec.mode"),
        (("label", "msvc", "reporting", "tier=three", "--overwrite"), "its label tier"),
        (("label", "msvc", "reporting", "tier-"), "its label tier"),
        (("label", "msvc", "reporting", "window=open"), "its label window"),
        (("delete", "msvc", "reporting"), "to delete it"),
    ):
        told = owner.refused(*words)
        assert "is under ComplianceProfile standard: " in told
        assert what in told
        assert "ask somebody of ClusterRole feem-compliance" in told
    owner.done("label", "msvc", "reporting", "helm.sh/chart=reporting-2", "--overwrite")
    patch(owner, "msvc", "reporting", {"spec": {"owner": "lending"}})
    room.people.bind("feem-compliance", "compliance-of-all", everywhere=True)
    room.people.bind("feem-edit", "compliance-of-all")
    head = room.people("compliance-head", "compliance-of-all")
    patch(head, "msvc", "reporting", {"spec": {"complianceProfile": None}})
    patch(owner, "msvc", "reporting", {"spec": {"mode": "Observe"}})
    owner.done("label", "msvc", "reporting", "tier=three", "--overwrite")
    owner.done("delete", "msvc", "reporting")


def many(kind: Callable[[str], Manifest], count: int) -> Manifest:
    return {"apiVersion": "v1", "kind": "List", "items": [kind(f"crowd-{number}") for number in range(count)]}


def test_large_objects_pass_in_a_crowded_namespace(room: Room, as_user: AsUser) -> None:
    """100 containers, 64 labels, beside 50 services and 200 releases: no expression meets its cost limit."""
    name = f"{room.namespace}-crowd"
    as_user("platform-admin").done("create", "namespace", name)
    admin, operator = room.admin.within(name), room.operator.within(name)
    people = People(room.people.cluster, admin, name)
    labels = {f"bank.example/label-{number:02}": "v" * 63 for number in range(63)} | {"app": "large"}
    containers = [{"name": f"app-{number}", "image": "scoring@" + DIGEST} for number in range(100)]
    try:
        admin.done("create", manifest=many(lambda each: managed(each, workload={"name": each}), 50))
        operator.done("create", manifest=many(lambda each: release(each, requestedBy="team-dev"), 200))
        for number in range(50):
            write_status(operator, "msvc", f"crowd-{number}", {"podSelector": {**labels, "app": f"crowd-{number}"}})
        write_status(operator, "release.feem.dev", "crowd-199", {"binding": DIGEST})
        body = deployment("large", "1", replicas=1)
        body["metadata"]["labels"] = body["spec"]["template"]["metadata"]["labels"] = labels
        body["spec"]["template"]["spec"]["containers"] = containers
        admin.done("create", manifest=body)
        operator.done("label", "deployment", "large", "feem.dev/governed=large")
        until("the pod", lambda: len(admin.read("pods")["items"]) == 1)
        told = admin.done("set", "image", "deployment/large", "app-0=scoring:2")
        assert "FEEM holds this change" in told
        pod = workload("Pod", labels)
        pod["spec"]["containers"] = containers
        admin.done("create", manifest=pod)
        pod["metadata"]["labels"] = {**labels, "app": "crowd-49"}
        assert "would send users to these pods" in admin.refused("create", manifest=pod)
        people.bind("feem-risk", "bank-risk")
        people("risk-officer", "bank-risk").done("create", manifest=decision("crowd-199", "Approve", role="risk"))
        people.bind("feem-dev", "bank-dev")
        told = people("team-dev", "bank-dev").refused("create", manifest=decision("crowd-199", "Approve", role="dev"))
        assert "you asked for Release crowd-199 yourself" in told
        crowd = [f"group-{number}-{'x' * 50}" for number in range(199)]
        people.bind("feem-risk", crowd[198])
        people("risk-of-many-groups", *crowd).done("create", manifest=decision("crowd-199", "Approve", role="risk"))
    finally:
        as_user("platform-admin").done("delete", "namespace", name, "--wait=false")


def test_an_ordinary_deployment_rolls_out_and_back(room: Room) -> None:
    room.admin.done("create", manifest=deployment("ordinary"))
    room.admin.done("rollout", "status", "deployment/ordinary", "--timeout=60s")
    for words in (("set", "image", "deployment/ordinary", "app=scoring:2"), ("rollout", "undo", "deployment/ordinary")):
        room.admin.done(*words)
        room.admin.done("rollout", "status", "deployment/ordinary", "--timeout=60s")
    room.admin.done("delete", "deployment", "ordinary", "--cascade=foreground", "--timeout=60s")


def test_a_governed_workload_is_held_and_its_controllers_go_on(room: Room) -> None:
    """What the operator promotes reaches the pods through Kubernetes' own controllers."""
    told = room.admin.done("set", "image", f"deployment/{NAME}", "app=scoring:2")
    assert "FEEM holds this change" in told
    patch(room.operator, "deployment", NAME, {"spec": {"paused": None}})
    room.admin.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")


def test_a_namespace_goes_with_all_of_it(cluster: Cluster, as_user: AsUser) -> None:
    name = f"going-{uuid.uuid4().hex[:8]}"
    everybody = as_user("platform-admin")
    everybody.done("create", "namespace", name)
    admin, operator = everybody.within(name), as_user(OPERATOR).within(name)
    for body in (deployment(), service(), route(), managed(complianceProfile="standard")):
        admin.done("create", manifest=body)
    write_status(operator, "managedservice", NAME, {"podSelector": {"app": NAME}})
    operator.done("label", "deployment", NAME, f"feem.dev/governed={NAME}")
    for body in (canary_deployment(), canary_service(), release("ended-1")):
        operator.done("create", manifest=body)
    owed = {"role": "risk", "due": hours_from_now(9)}
    write_status(operator, "release.feem.dev", "ended-1", {"signOff": owed, "retainUntil": hours_from_now(9)})
    patch(operator, "service", NAME, {"spec": {"selector": {"pod-template-hash": "abc"}}})
    operator.done("annotate", "httproute", NAME, "feem.dev/traffic=ended-1/1/forward")
    admin.done("create", manifest=decision("ended-1", "Abort"))
    everybody.done("delete", "namespace", name, "--timeout=60s")
