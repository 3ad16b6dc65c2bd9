"""Who breaks what in whose name, and what the reaper's account can do: asked of the real API server.

People hold FEEM's ready roles. Operator, reaper and administrator have all rights, so that only admission says no to them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.cluster import Cluster
from feem.core.chaos.edit import ABSENT, ANNOTATION, LABEL, Field, Mark
from tests.chart import helm
from tests.integration.adapter import ensure_gateway_api
from tests.integration.conftest import OPERATOR, REAPER, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.operator import NAME, deployment, managed, route, service, until
from tests.integration.people import People, install_roles
from tests.integration.test_guarded import always, merge, patch, template, write_status

pytestmark = pytest.mark.integration

EXPERIMENT = "pod-loss"
RUN = f"{EXPERIMENT}-x2v9k"
UID = "6f1c1f6e-31b5-4a57-9f0a-0d8f7c1c9a11"
BROKEN = "feem.invalid/fault:none"
WORDS = tuple[str, ...]
EARLIER = "2026-03-02T12:00:00Z"
ONLY_MARKED = "the reaper touches only what carries a fault"
ONLY_RECORDED = "the reaper puts back the images, limits and requests that stand in the mark, and no others"
ONLY_REPLICAS = "the reaper puts back the replicas that stand in the mark, and no others"
NOTHING_ELSE = "the reaper takes faults back, and does nothing else"
ONLY_VALUES = "changes nothing else of a spec"
ONLY_MARK = "leaves its other labels, annotations and owners alone"


@dataclass(frozen=True)
class Room:
    """A namespace with a governed service, and who acts in it."""

    cluster: Cluster
    people: People
    admin: Kubectl
    operator: Kubectl
    reaper: Kubectl

    @property
    def namespace(self) -> str:
        return self.people.namespace

    def pods(self, app: str = NAME) -> list[str]:
        found = self.admin.read("pods", f"--selector=app={app}")["items"]
        return [item["metadata"]["name"] for item in found if "deletionTimestamp" not in item["metadata"]]


@pytest.fixture(scope="module")
def room(cluster: Cluster, as_user: AsUser) -> Iterator[Room]:
    everybody = as_user("platform-admin")
    ensure_gateway_api(cluster, everybody)
    install_roles(everybody)
    name = f"chaos-{uuid.uuid4().hex[:8]}"
    everybody.done("create", "namespace", name)
    admin, operator, reaper = (as_user(who).within(name) for who in ("platform-admin", OPERATOR, REAPER))
    owned = deployment()
    container = owned["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {
        "limits": {"cpu": "500m", "memory": "256Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    for body in (owned, service(), route(), managed(mode="Enforce")):
        admin.done("create", manifest=body)
    write_status(operator, "managedservice", NAME, {"podSelector": {"app": NAME}})
    operator.done("label", "deployment", NAME, f"feem.dev/governed={NAME}")
    admin.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    yield Room(cluster, People(cluster, admin, name), admin, operator, reaper)
    everybody.done("delete", "namespace", name, "--wait=false")


# -- who asks, who stops ------------------------------------------------------------------------------------------------------


def run(name: str = "", **spec: Any) -> Manifest:
    named = {"name": name} if name else {"generateName": f"{EXPERIMENT}-"}
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosRun",
        "metadata": named,
        "spec": {"experiment": EXPERIMENT, **spec},
    }


def experiment(**spec: Any) -> Manifest:
    wanted = {
        "service": NAME,
        "fault": {"podKill": {}},
        "blastRadius": {"pods": 1},
        "hypothesis": {"objectives": ["answers"]},
        **spec,
    }
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosExperiment",
        "metadata": {"name": EXPERIMENT},
        "spec": wanted,
    }


def halt(**spec: Any) -> Manifest:
    body = {"apiVersion": "feem.dev/v1alpha1", "kind": "ChaosHalt", "metadata": {"generateName": "stop-"}}
    return {**body, "spec": {"reason": "the core banking system is down", **spec}}


def created(user: Kubectl, body: Manifest) -> Manifest:
    answer = user("create", "--output=json", manifest=body)
    assert answer.code == 0, answer.told
    found: Manifest = json.loads(answer.out)
    return found


def stop(**request: Any) -> tuple[str, str]:
    return merge({"spec": {"stop": {"reason": "complaints from branch 12", **request}}})


@pytest.fixture(scope="module")
def engineer(room: Room) -> Kubectl:
    return room.people.of("chaos", "resilience-engineer")


@pytest.fixture(scope="module")
def owner(room: Room) -> Kubectl:
    room.people.bind("edit", "bank-owners")
    room.people.bind("feem-edit", "bank-owners")
    return room.people("team-dev", "bank-owners")


def test_who_asks_for_a_run_is_filled_in(engineer: Kubectl, owner: Kubectl) -> None:
    assert created(engineer, run())["spec"]["requestedBy"] == "resilience-engineer"
    assert created(owner, run(requestedBy="team-dev", reason="before the audit"))["spec"]["requestedBy"] == "team-dev"
    assert created(owner, run(requestedBy=""))["spec"]["requestedBy"] == "team-dev"


def test_the_operators_runs_are_nobodys(room: Room) -> None:
    name = f"{EXPERIMENT}-202603021200"
    made = created(room.operator, run(name, scheduledFor=EARLIER))
    assert "requestedBy" not in made["spec"]
    canary = created(room.operator, run(f"{NAME}-4-s12-2", track="Canary", release=f"{NAME}-4"))
    assert canary["spec"]["track"] == "Canary"


def attempt(name: str, *values: Any) -> Any:
    return pytest.param(*values, id=name)


FORGED = [
    attempt(
        "in-anothers-name", run(requestedBy="team-dev"), "your own user name, resilience-engineer: leave it out, or"
    ),
    attempt("in-the-operators-name", run(requestedBy=OPERATOR), "spec.requestedBy must be your own user name"),
    attempt("on-a-canary", run(track="Canary", release="scoring-4"), "track Canary and release are for releases"),
    attempt("for-the-schedule", run(scheduledFor=EARLIER), "scheduledFor is for the schedule: leave them out"),
    attempt(
        "named-like-a-scheduled-one", run(f"{EXPERIMENT}-202603021205"), f"use metadata.generateName: {EXPERIMENT}-"
    ),
    attempt("named-like-a-releases", run(f"{NAME}-4-s1"), "is one for runs of schedules and releases"),
    attempt("named-like-a-repeated-one", run(f"{NAME}-4-s1-3"), "is one for runs of schedules and releases"),
    attempt("stopped-already", run(stop={"by": "resilience-engineer", "reason": "x"}), "need not begin"),
]


@pytest.mark.parametrize(("body", "told"), FORGED)
def test_a_run_is_asked_for_in_ones_own_name_and_by_hand(engineer: Kubectl, body: Manifest, told: str) -> None:
    answer = engineer.refused("create", manifest=body)
    assert "Forbidden" in answer or "forbidden" in answer
    assert told in answer


def test_nor_does_a_cluster_admin_and_the_reaper_asks_for_none(room: Room) -> None:
    assert "must be your own user name" in room.admin.refused("create", manifest=run(requestedBy="team-dev"))
    assert NOTHING_ELSE in room.reaper.refused("create", manifest=run())


def test_a_run_is_stopped_in_ones_own_name(room: Room, engineer: Kubectl, owner: Kubectl) -> None:
    name = created(owner, run())["metadata"]["name"]
    told = engineer.refused("patch", "crun", name, *stop(by="team-dev"))
    assert "spec.stop.by must be your own user name, resilience-engineer" in told
    assert f"kubectl feem chaos stop {name} -n {room.namespace}" in told
    assert "must be your own user name" in room.admin.refused("patch", "crun", name, *stop(by=OPERATOR))
    engineer.done("patch", "crun", name, *stop(by="resilience-engineer"), "--dry-run=server")
    engineer.done("patch", "crun", name, *stop())
    assert room.admin.read("crun", name)["spec"]["stop"]["by"] == "resilience-engineer"
    owner.done("label", "crun", name, "reviewed=yes")
    assert "can be set once" in owner.refused("patch", "crun", name, *stop(by="team-dev"))


def test_a_run_stays_until_its_fault_is_undone(room: Room, owner: Kubectl) -> None:
    name = created(owner, run())["metadata"]["name"]
    patch(room.operator, "crun", name, {"metadata": {"finalizers": ["bank.example/archive", "feem.dev/cleanup"]}})
    without = merge({"metadata": {"finalizers": ["bank.example/archive"]}})
    others = merge({"metadata": {"finalizers": ["feem.dev/cleanup"]}})
    mine = f"finalizer feem.dev/cleanup of ChaosRun {name} is FEEM's own: it goes by itself once the fault is undone"
    for user in (owner, room.admin):
        assert mine in user.refused("patch", "crun", name, *without)
    told = room.reaper.refused("patch", "crun", name, *without)  # two policies say so, in no order
    assert mine in told or "lets go of a ChaosRun that was deleted" in told
    owner.done("patch", "crun", name, *merge({"metadata": {"ownerReferences": None, "labels": {"a": "b"}}}))
    owner.done("delete", "crun", name, "--wait=false")
    for user in (owner, room.admin):
        assert mine in user.refused("patch", "crun", name, *without)
    for more in (others, merge({"metadata": {"finalizers": None}}), stop(by=REAPER)):
        assert "denied request: the reaper" in room.reaper.refused("patch", "crun", name, *more)
    room.reaper.done("patch", "crun", name, *without)
    owner.done("patch", "crun", name, *merge({"metadata": {"finalizers": None}}))
    until("the run is gone", lambda: room.admin("get", "crun", name).code != 0)


def test_what_was_found_is_written_by_the_operator_alone(room: Room, engineer: Kubectl) -> None:
    engineer.done("create", manifest=experiment())
    name = created(engineer, run())["metadata"]["name"]
    forged = {
        ("crun", name): {"completedAt": EARLIER, "cause": "HypothesisHeld"},
        ("chaosexperiment", EXPERIMENT): {"lastPassedAt": EARLIER},
    }
    for (kind, named), status in forged.items():
        words = ("patch", kind, named, "--subresource=status", *merge({"status": status}))
        assert "only the FEEM operator writes the status of" in room.admin.refused(*words)
        assert "forbidden" in engineer.refused(*words)
        told = room.reaper.refused(*words)  # two policies say so, in no order
        assert "only the FEEM operator writes" in told or NOTHING_ELSE in told
        room.operator.done(*words)


def test_all_chaos_is_halted_in_ones_own_name_and_goes_on_by_few(room: Room) -> None:
    roles = ("product", "dev", "test", "risk", "compliance", "committee", "chaos")
    groups = {role: f"bank-{room.namespace}-{role}" for role in roles}
    made = []
    try:
        for role, group in groups.items():
            room.people.bind(f"feem-{role}", group, everywhere=True)
            somebody = room.people(f"somebody-of-{role}", group)
            found = created(somebody, halt())
            made.append(found["metadata"]["name"])
            assert found["spec"]["by"] == f"somebody-of-{role}"
            told = somebody.refused("create", manifest=halt(by="risk-officer"))
            assert f"spec.by must be your own user name, somebody-of-{role}: leave it out" in told
        let_go = {
            role
            for role, group in groups.items()
            if room.people(f"somebody-of-{role}", group)("delete", "chalt", made[0], "--dry-run=server").code == 0
        }
        assert let_go == {"compliance", "committee", "chaos"}
        assert "must be your own user name" in room.admin.refused("create", manifest=halt(by="risk-officer"))
        assert "takes faults back, and does nothing else" in room.reaper.refused("delete", "chalt", made[0])
        stranger = room.people("visitor", "nobody")
        assert "forbidden" in stranger.refused("create", manifest=halt())
    finally:
        room.admin.done("delete", "chalt", *made)
        bindings = [f"{group}-feem-{role}" for role, group in groups.items()]
        room.admin("delete", "clusterrolebinding", *bindings)


# -- marks --------------------------------------------------------------------------------------------------------------------


def mark(room: Room, *fields: Field, made: bool = False) -> Mark:
    return Mark(RUN, room.namespace, UID, datetime(2026, 3, 2, 12, tzinfo=UTC), fields, made=made)


def marking(found: Mark) -> Manifest:
    return {"labels": found.labels, "annotations": {ANNOTATION: found.text()}}


UNMARK: Manifest = {"metadata": {"labels": {LABEL: None}, "annotations": {ANNOTATION: None}}}
FORGED_MARK: Manifest = {"labels": {LABEL: UID}, "annotations": {ANNOTATION: "{}"}}


def network_policy(name: str, **metadata: Any) -> Manifest:
    spec = {"podSelector": {"matchLabels": {LABEL: UID}}, "policyTypes": ["Ingress"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def traffic_policy(name: str, metadata: Manifest, **spec: Any) -> Manifest:
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": NAME}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": {"name": name, **metadata},
        "spec": {"targetRefs": [target], **spec},
    }


def marked(body: Manifest, metadata: Manifest, name: str) -> Manifest:
    return {**body, "metadata": {**body["metadata"], **metadata, "name": name}}


def pod(name: str, metadata: Manifest, image: str = "batch:1", containers: int = 1) -> Manifest:
    found = [{"name": f"app-{number}", "image": image} for number in range(containers)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": {"containers": found}}


KINDS = ["Deployment", "Pod", "NetworkPolicy", "HTTPRoute", "BackendTrafficPolicy"]


def of_kind(kind: str, metadata: Manifest, name: str = "made-by-hand") -> Manifest:
    elsewhere = deployment("batch")
    elsewhere["spec"]["replicas"] = 0
    found: dict[str, Manifest] = {
        "Deployment": marked(elsewhere, metadata, name),
        "Pod": pod(name, metadata),
        "NetworkPolicy": network_policy(name, **metadata),
        "HTTPRoute": marked(route(), metadata, name),
        "BackendTrafficPolicy": traffic_policy(name, metadata),
    }
    return found[kind]


OWN = "label and annotation feem.dev/chaos are FEEM's own"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_makes_something_that_carries_a_mark(room: Room, owner: Kubectl, kind: str) -> None:
    for part in ({"labels": FORGED_MARK["labels"]}, {"annotations": FORGED_MARK["annotations"]}, FORGED_MARK):
        for user in (room.admin, *((owner,) if kind in ("Deployment", "Pod") else ())):
            assert OWN in user.refused("create", manifest=of_kind(kind, part))
    room.operator.done("create", "--dry-run=server", manifest=of_kind(kind, FORGED_MARK))
    room.admin.done("create", "--dry-run=server", manifest=of_kind(kind, {"labels": {"team": "lending"}}))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_marks_what_is_there_nor_takes_a_mark_away(room: Room, kind: str) -> None:
    name = f"{kind.lower()}-there"
    words = ("patch", kind.lower(), name)
    room.admin.done("create", manifest=of_kind(kind, {}, name))
    for part in ({"labels": FORGED_MARK["labels"]}, FORGED_MARK):
        assert OWN in room.admin.refused(*words, *merge({"metadata": part}))
    annotated = room.admin(*words, *merge({"metadata": {"annotations": FORGED_MARK["annotations"]}}))
    if kind == "Deployment":  # a rollback could bring it: it goes in the request
        assert ANNOTATION not in (room.admin.read(kind, name)["metadata"].get("annotations") or {})
    else:
        assert OWN in annotated.told
    room.operator.done(*words, *merge({"metadata": marking(mark(room))}))
    other = replace(mark(room), run_uid=str(uuid.uuid4()))
    for part in (
        {"labels": {LABEL: None}},
        {"labels": {LABEL: other.run_uid}},
        {"annotations": {ANNOTATION: None}},
        {"annotations": {ANNOTATION: other.text()}},
        UNMARK["metadata"],
    ):
        told = room.admin.refused(*words, *merge({"metadata": part}))
        assert f"carries a fault of ChaosRun {room.namespace}/{RUN}, and label and annotation" in told
        assert f"kubectl feem chaos stop {RUN} -n {room.namespace}" in told
    room.admin.done(*words, *merge({"metadata": {"labels": {"team": "lending"}, "annotations": {"a": "b"}}}))
    room.reaper.done(*words, *merge(UNMARK), "--dry-run=server") if kind in ("Deployment", "Pod") else None
    room.admin.done("delete", kind.lower(), name, "--wait=false")


def test_marks_are_not_written_by_way_of_a_status(room: Room) -> None:
    name = room.pods()[0]
    for kind, named in (("deployment", NAME), ("pod", name)):
        words = ("patch", kind, named, "--subresource=status", *merge({"metadata": FORGED_MARK}))
        answer = room.admin(*words)
        kept = room.admin.read(kind, named)["metadata"]
        assert OWN in answer.told or LABEL not in kept.get("labels", {}), answer
        assert ANNOTATION not in (kept.get("annotations") or {})


@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_no_pod_is_born_with_a_fault(room: Room, part: str) -> None:
    born = {"spec": {"template": {"metadata": {part: FORGED_MARK[part]}}}}
    told = room.admin.refused("patch", "deployment", NAME, *merge(born))
    assert "pods are not born with a fault: leave label and annotation feem.dev/chaos out of the pod template" in told
    another = deployment("born")
    another["spec"]["template"]["metadata"][part] = {**another["spec"]["template"]["metadata"].get(part, {})}
    another["spec"]["template"]["metadata"][part] |= FORGED_MARK[part]
    assert "pods are not born with a fault" in room.admin.refused("create", manifest=another)


def test_what_kubernetes_itself_starts_is_never_kept_from_starting(room: Room) -> None:
    """A ReplicaSet whose template carries a mark is somebody's own mistake; its pods come all the same."""
    labels = {"app": "own-mistake"}
    inner = template({**labels, LABEL: UID})
    body = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "own-mistake"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": always(inner)},
    }
    room.admin.done("create", manifest=body)
    until("its pod", lambda: room.pods("own-mistake"))
    room.admin.done("delete", "replicaset", "own-mistake", "--wait=false")


def test_the_owner_goes_on_working_on_what_carries_a_fault(room: Room, owner: Kubectl) -> None:
    room.operator.done("create", manifest=deployment("busy"))
    body = deployment("busy")
    owner.done("apply", manifest=body)
    found = mark(room, Field("/spec/replicas", 3, 1))
    patch(room.operator, "deployment", "busy", {"metadata": marking(found), "spec": {"replicas": 1}})
    owner.done("apply", manifest={**body, "spec": {**body["spec"], "minReadySeconds": 1}})
    owner.done("apply", "--server-side", "--field-manager=helm", "--force-conflicts", manifest=deployment("busy", "2"))
    owner.done("scale", "deployment", "busy", "--replicas=2")
    owner.done("rollout", "restart", "deployment/busy")
    owner.done("set", "image", "deployment/busy", "app=scoring:3")

    def refused() -> str:  # the controller writes the status beside it
        told = owner.refused("replace", manifest=body)
        return "" if "(Conflict)" in told else told

    told = until("a refusal", refused)
    assert f"carries a fault of ChaosRun {room.namespace}/{RUN}" in told
    metadata = room.admin.read("deployment", "busy")["metadata"]
    assert (metadata["labels"][LABEL], metadata["annotations"][ANNOTATION]) == (UID, found.text())
    owner.done("delete", "deployment", "busy", "--wait=false")


def test_a_rollback_does_not_bring_an_old_mark_back(room: Room, owner: Kubectl) -> None:
    """Kubernetes copies the annotation to the ReplicaSet, where it stays when the fault is long undone."""
    owner.done("create", manifest=deployment("rolling", replicas=1))
    owner.done("rollout", "status", "deployment/rolling", "--timeout=60s")
    room.operator.done("patch", "deployment", "rolling", *merge({"metadata": marking(mark(room))}))

    def copies() -> list[Manifest]:
        sets = room.admin.read("replicasets", "--selector=app=rolling")["items"]
        return [item for item in sets if ANNOTATION in item["metadata"]["annotations"]]

    until("the annotation on the ReplicaSet", copies)
    room.reaper.done("patch", "deployment", "rolling", *merge(UNMARK))
    owner.done("set", "image", "deployment/rolling", "app=scoring:2")
    owner.done("rollout", "status", "deployment/rolling", "--timeout=60s")
    assert copies(), "if Kubernetes takes it away by itself, leftover.feem.dev is not needed any more"
    owner.done("rollout", "undo", "deployment/rolling")
    body = room.admin.read("deployment", "rolling")
    assert body["spec"]["template"]["spec"]["containers"][0]["image"] == "scoring:1"
    assert ANNOTATION not in body["metadata"]["annotations"]
    owner.done("delete", "deployment", "rolling", "--wait=false")


# -- the reaper ---------------------------------------------------------------------------------------------------------------


def image(name: str) -> Manifest:
    return {"spec": {"containers": [{"name": "app", "image": name}]}}


def limits(cpu: str, memory: str = "256Mi") -> Manifest:
    return {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": cpu, "memory": memory}}}]}}


def strategic(body: Manifest) -> tuple[str, str]:
    return "--type=strategic", f"--patch={json.dumps(body)}"


@pytest.fixture
def scaled(room: Room) -> Iterator[str]:
    """The governed Deployment, scaled down by a fault."""
    found = mark(room, Field("/spec/replicas", 3, 1))
    patch(room.operator, "deployment", NAME, {"metadata": marking(found), "spec": {"replicas": 1}})
    yield NAME
    patch(room.operator, "deployment", NAME, {**UNMARK, "spec": {"replicas": 3}})
    room.admin.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")


def test_the_reaper_puts_back_the_replicas_that_were_there(room: Room, scaled: str) -> None:
    words = ("patch", "deployment", scaled)
    beyond = [
        ({"spec": {"replicas": 0}}, ONLY_REPLICAS),
        ({"spec": {"replicas": 30}}, ONLY_REPLICAS),
        ({**UNMARK, "spec": {"replicas": 4}}, ONLY_REPLICAS),
        ({"spec": {"template": image("unreleased:9")}}, ONLY_VALUES),
        ({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, ONLY_VALUES),
        ({"spec": {"paused": True}}, ONLY_VALUES),
        ({"spec": {"minReadySeconds": 9}}, ONLY_VALUES),
        ({"metadata": {"labels": {"feem.dev/governed": None}}}, "denied request"),  # by two policies
        ({"metadata": {"labels": {"team": "lending"}}}, ONLY_MARK),
        ({"metadata": {"labels": {LABEL: "another"}}}, ONLY_MARK),
        ({"metadata": {"annotations": {ANNOTATION: "{}"}}}, ONLY_MARK),
        ({"metadata": {"annotations": {"feem.dev/author": "team-dev"}}}, ONLY_MARK),
        ({"metadata": {"finalizers": ["bank.example/keep"]}}, "touches no other finalizer"),
    ]
    for body, told in beyond:
        assert told in room.reaper.refused(*words, *strategic(body), "--dry-run=server"), body
    for more in (
        ("delete", "deployment", scaled),
        ("scale", "deployment", scaled, "--replicas=3"),
        ("patch", "deployment", scaled, "--subresource=status", *merge({"metadata": {"annotations": {"a": "b"}}})),
    ):
        assert NOTHING_ELSE in room.reaper.refused(*more, "--dry-run=server")
    room.reaper.done(*words, *merge({**UNMARK, "spec": {"replicas": 3}}))
    assert room.admin.read("deployment", scaled)["spec"]["replicas"] == 3
    for body in ({"spec": {"replicas": 3}}, {"spec": {"replicas": 1}}, {"metadata": {"labels": {"a": "b"}}}):
        assert ONLY_MARKED in room.reaper.refused(*words, *merge(body))


def test_it_does_so_while_a_change_of_the_owner_is_held(room: Room, scaled: str) -> None:
    assert "FEEM holds this change" in room.admin.done("set", "image", f"deployment/{scaled}", "app=scoring:2")
    room.reaper.done("patch", "deployment", scaled, *merge({**UNMARK, "spec": {"replicas": 3}}))
    found = room.admin.read("deployment", scaled)
    assert (found["spec"]["paused"], found["spec"]["replicas"]) == (True, 3)
    assert found["metadata"]["annotations"]["feem.dev/requested-by"] == "platform-admin"
    room.admin.done("set", "image", f"deployment/{scaled}", "app=scoring:1")
    patch(room.operator, "deployment", scaled, {"spec": {"paused": None}})


def test_it_does_so_while_a_change_is_promoted(room: Room, scaled: str) -> None:
    promoting = {"metadata": {"labels": {"feem.dev/promoting": "scoring-4"}}}
    patch(room.operator, "deployment", scaled, promoting)
    try:
        room.reaper.done("patch", "deployment", scaled, *merge({**UNMARK, "spec": {"replicas": 3}}))
    finally:
        patch(room.operator, "deployment", scaled, {"metadata": {"labels": {"feem.dev/promoting": None}}})


def test_the_reaper_puts_back_the_image_that_was_there(room: Room) -> None:
    broken, whole = room.pods()[:2]
    found = mark(room, Field("/spec/containers/0/image", "scoring:1", BROKEN))
    room.operator.done("patch", "pod", broken, *strategic({"metadata": marking(found), **image(BROKEN)}))
    words = ("patch", "pod", broken)
    for body, told in (
        (image("unreleased:9"), ONLY_RECORDED),
        ({**UNMARK, **image("unreleased:9")}, ONLY_RECORDED),
        (image(RUN), ONLY_RECORDED),
        ({"spec": {"tolerations": [{"key": "a", "operator": "Exists"}]}}, ONLY_VALUES),
        ({"metadata": {"labels": {"app": "other"}}}, ONLY_MARK),
        ({"metadata": {"ownerReferences": None}}, ONLY_MARK),
    ):
        assert told in room.reaper.refused(*words, *strategic(body), "--dry-run=server"), body
    assert ONLY_MARKED in room.reaper.refused("patch", "pod", whole, *strategic(image("unreleased:9")))
    assert ONLY_MARKED in room.reaper.refused("patch", "pod", whole, *merge({"metadata": {"labels": {"a": "b"}}}))
    assert NOTHING_ELSE in room.reaper.refused("delete", "pod", broken)
    assert NOTHING_ELSE in room.reaper.refused("create", manifest=pod("made-by-the-reaper", {}))
    debug = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}
    debugging = ("--subresource=ephemeralcontainers", f"--patch={json.dumps(debug)}")
    assert NOTHING_ELSE in room.reaper.refused(*words, *debugging)
    room.reaper.done(*words, *strategic({**UNMARK, **image("scoring:1")}))
    assert LABEL not in room.admin.read("pod", broken)["metadata"]["labels"]


def test_the_reaper_puts_back_the_limits_that_were_there(room: Room) -> None:
    squeezed, whole = room.pods()[:2]
    shown = [{"op": "add", "path": "/status/containerStatuses/0/resources", "value": {"limits": {"cpu": "500m"}}}]
    for name in (squeezed, whole):  # as a kubelet that can resize shows it; else the API server refuses any resize
        room.admin.done("patch", "pod", name, "--subresource=status", "--type=json", f"--patch={json.dumps(shown)}")
    found = mark(room, Field("/spec/containers/0/resources/limits/cpu", "500m", "150m"))
    room.operator.done("patch", "pod", squeezed, *merge({"metadata": marking(found)}))
    words = ("patch", "pod", squeezed, "--subresource=resize")
    room.operator.done(*words, *strategic(limits("150m")))
    assert ONLY_RECORDED in room.reaper.refused(*words, *strategic(limits("400m")), "--dry-run=server")
    assert ONLY_RECORDED in room.reaper.refused(*words, *strategic(limits("500m", "300Mi")), "--dry-run=server")
    other = ("patch", "pod", whole, "--subresource=resize", *strategic(limits("150m")))
    assert ONLY_MARKED in room.reaper.refused(*other)
    room.reaper.done(*words, *strategic(limits("500m")))
    room.reaper.done("patch", "pod", squeezed, *merge(UNMARK))
    container = room.admin.read("pod", squeezed)["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "256Mi"}


def test_the_reaper_deletes_what_was_made_for_a_fault_and_nothing_of_anybody(room: Room) -> None:
    for kind in ("NetworkPolicy", "HTTPRoute", "BackendTrafficPolicy"):
        name = f"{kind.lower()}-made"
        room.operator.done("create", manifest=of_kind(kind, marking(mark(room, made=True)), name))
        room.admin.done("create", manifest=of_kind(kind, {}, f"{name}-by-hand"))
        room.operator.done("create", manifest=of_kind(kind, marking(mark(room)), f"{name}-changed"))
        assert ONLY_MARKED in room.reaper.refused("delete", kind, f"{name}-by-hand")
        assert "deletes only what was made for a fault" in room.reaper.refused("delete", kind, f"{name}-changed")
        assert NOTHING_ELSE in room.reaper.refused("create", manifest=of_kind(kind, {}, f"{name}-again"))
        room.reaper.done("delete", kind, name)
        room.admin.done("delete", kind, f"{name}-by-hand", f"{name}-changed")


def test_the_reaper_takes_a_fault_out_of_a_teams_traffic_policy(room: Room) -> None:
    injected = {"abort": {"httpStatus": 503, "percentage": 10}}
    found = mark(room, Field("/spec/faultInjection", ABSENT, injected))
    timeout = {"http": {"requestTimeout": "5s"}}
    room.admin.done("create", manifest=traffic_policy("teams-own", {}, timeout=timeout))
    words = ("patch", "backendtrafficpolicy", "teams-own")
    room.operator.done(*words, *merge({"metadata": marking(found), "spec": {"faultInjection": injected}}))
    for spec in (
        {"timeout": None},
        {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "other"}]},
        {"loadBalancer": {"type": "Random"}},
    ):
        assert ONLY_VALUES in room.reaper.refused(*words, *merge({"spec": spec}), "--dry-run=server")
    room.reaper.done(*words, *merge({**UNMARK, "spec": {"faultInjection": None}}))
    assert room.admin.read("backendtrafficpolicy", "teams-own")["spec"]["timeout"] == timeout
    room.admin.done("delete", "backendtrafficpolicy", "teams-own")


def test_with_nothing_but_the_charts_rights_it_can_do_its_work_and_no_more(room: Room) -> None:
    rights = [helm.named(helm.render(), kind, "feem-reaper") for kind in ("ClusterRole", "ClusterRoleBinding")]
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": REAPER}]
    name = f"reaper-of-{room.namespace}"
    rights[1] |= {"metadata": {"name": name}, "subjects": subjects}
    room.admin.done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": rights})
    account = room.people(REAPER, "system:serviceaccounts")
    victim = room.pods()[0]
    broken = mark(room, Field("/spec/containers/0/image", "scoring:1", BROKEN))
    try:
        room.operator.done("create", manifest=network_policy("cut", **marking(mark(room, made=True))))
        room.operator.done("patch", "pod", victim, *strategic({"metadata": marking(broken), **image(BROKEN)}))
        chosen = f"--selector={LABEL}"
        for kind in ("pods", "deployments", "networkpolicies", "httproutes", "backendtrafficpolicies"):
            account.done("get", kind, "--all-namespaces", chosen)
        account.done("get", "chaosruns,chaoshalts", "--all-namespaces")
        account.done("patch", "pod", victim, *strategic({**UNMARK, **image("scoring:1")}))
        account.done("delete", "networkpolicy", "cut")
        for words in (
            ("get", "secrets"),
            ("delete", "pod", victim),
            ("create", "token", "default"),
            ("patch", "pod", victim, "--subresource=status", *merge({"status": {"phase": "Failed"}})),
            ("patch", "httproute", NAME, *merge({"metadata": {"labels": {"a": "b"}}})),
            ("delete", "deployment", NAME),
            ("create", "configmap", "note"),
            ("get", "auditrecords"),
        ):
            assert "forbidden" in account.refused(*words).lower()
    finally:
        room.admin("delete", "clusterrolebinding", name)


def test_large_marked_pods_are_taken_back_within_the_limits_of_admission(room: Room) -> None:
    """100 containers, each with limits, one of them broken: no expression meets its cost limit."""
    body = pod(
        "large", {"labels": {f"bank.example/label-{number:02}": "v" * 63 for number in range(60)}}, containers=100
    )
    for item in body["spec"]["containers"]:
        item["image"] = f"registry.example/lending/scoring@sha256:{'d' * 64}"
        item["resources"] = {"limits": {"cpu": "5m", "memory": "1Mi"}, "requests": {"cpu": "1m", "memory": "1Mi"}}
    room.admin.done("create", manifest=body)
    was = body["spec"]["containers"][99]["image"]
    fields = [Field("/spec/containers/99/image", was, BROKEN)]
    fields += [Field(f"/spec/containers/{number}/image", f"{was}{number}", BROKEN) for number in range(99)]
    changed = {"spec": {"containers": [{"name": "app-99", "image": BROKEN}]}}
    words = ("patch", "pod", "large")
    room.operator.done(*words, *strategic({"metadata": marking(mark(room, *fields)), **changed}))
    restored = {"spec": {"containers": [{"name": "app-99", "image": was}]}}
    assert ONLY_RECORDED in room.reaper.refused(
        *words, *strategic({"spec": {"containers": [{"name": "app-99", "image": "x:1"}]}})
    )
    room.reaper.done(*words, *strategic({**UNMARK, **restored}))
    room.admin.done("delete", "pod", "large", "--wait=false")


def test_a_namespace_goes_with_its_faults(cluster: Cluster, as_user: AsUser) -> None:
    """Marked objects and deleted runs do not keep it, once operator or reaper let the runs go."""
    name = f"going-{uuid.uuid4().hex[:8]}"
    everybody = as_user("platform-admin")
    everybody.done("create", "namespace", name)
    admin, operator, reaper = (as_user(who).within(name) for who in ("platform-admin", OPERATOR, REAPER))
    here = Room(cluster, People(cluster, admin, name), admin, operator, reaper)
    for kind in KINDS:
        operator.done("create", manifest=of_kind(kind, marking(mark(here, made=kind not in ("Deployment", "Pod")))))
    body = run(RUN)
    body["metadata"]["finalizers"] = ["feem.dev/cleanup"]
    operator.done("create", manifest=body)
    everybody.done("delete", "namespace", name, "--wait=false")
    until("the run is being deleted", lambda: "deletionTimestamp" in admin.read("crun", RUN)["metadata"])
    reaper.done("patch", "crun", RUN, *merge({"metadata": {"finalizers": None}}))
    until("the namespace is gone", lambda: everybody("get", "namespace", name).code != 0, 60)
