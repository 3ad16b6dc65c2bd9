"""Attempts to change what serves users by hand: the Deployment, its ReplicaSets and pods, the canary, the route, the Service."""

from __future__ import annotations

import json

import pytest

from tests.integration.attempts.bank import LONG
from tests.integration.attempts.conftest import Judge, OpenBank
from tests.integration.kubectl import Manifest
from tests.integration.operator import NAME, deployment

pytestmark = pytest.mark.integration

CANARY = f"{NAME}-canary"


def patch(kind: str, name: str, change: Manifest) -> tuple[str, ...]:
    """The words that make kubectl patch an object."""
    return "patch", kind, name, "--type=merge", f"--patch={json.dumps(change)}"


def test_unpausing_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    bank.asked()
    verdict = judge(bank)
    told = bank.team.done("rollout", "resume", f"deployment/{NAME}")
    verdict.undone(
        "`kubectl rollout resume`", "team-dev", told, "FEEM holds scoring paused until its release is allowed"
    )
    force = ("apply", "--server-side", "--force-conflicts", "--field-manager=by-hand")
    told = bank.admin.done(*force, manifest=deployment(tag="2", paused=False))
    verdict.undone("Server-side apply of `paused: false`", "platform-admin", told, "FEEM holds scoring paused")


def test_the_governed_label_removed_with_the_image(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    verdict = judge(bank)
    change: Manifest = {
        "metadata": {"labels": {"feem.dev/governed": None}},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "scoring:2"}]}}},
    }
    told = bank.team.done("patch", "deployment", NAME, f"--patch={json.dumps(change)}")
    verdict.undone("Governed label removed and image edited in one request", "team-dev", told, "FEEM holds this change")
    assert (bank.shop.get("deployment") or {})["metadata"]["labels"]["feem.dev/governed"] == NAME


def test_the_governed_label_removed_before_the_image(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank, "scoring:3")
    first = bank.team("label", "deployment", NAME, "feem.dev/governed-")
    words = "label feem.dev/governed is FEEM's own"
    verdict.denied("Governed label removed, in two requests: the first", "team-dev", "governed.feem.dev", first, words)
    told = bank.team.done("set", "image", f"deployment/{NAME}", "app=scoring:3")
    verdict.undone("Governed label removed, in two requests: the image", "team-dev", told, "FEEM holds this change")
    assert bank.shop.releases()[-1]["metadata"]["name"] != name


def test_the_replica_set_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    bank.asked()
    verdict = judge(bank)
    stable = verdict.before.stable[0][0]
    words = "which is under FEEM's care: change or scale the Deployment instead"
    edited = bank.team("set", "image", f"replicaset/{stable}", "app=scoring:2")
    verdict.denied("Image edited on the ReplicaSet", "team-dev", "replicasets.feem.dev", edited, words)
    scaled = bank.team("scale", f"replicaset/{stable}", "--replicas=0")
    verdict.denied("ReplicaSet scaled by hand", "team-dev", "replicasets.feem.dev", scaled, words)


def test_pods_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    bank.asked()
    verdict = judge(bank)
    labels, containers = {"app": NAME}, [{"name": "app", "image": "scoring:2"}]
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare", "labels": labels},
        "spec": {"containers": containers},
    }
    words = "where only releases of Deployment scoring reach users"
    made = bank.team("create", manifest=bare)
    verdict.denied("Bare Pod with the service's labels", "team-dev", "pods.feem.dev", made, words)
    second = deployment("shadow", "2")
    second["spec"]["selector"] = {"matchLabels": {"app": NAME, "shadow": "yes"}}
    second["spec"]["template"]["metadata"]["labels"] = {"app": NAME, "shadow": "yes"}
    made = bank.team("create", manifest=second)
    verdict.denied("Second Deployment with the service's labels", "team-dev", "pods.feem.dev", made, words)
    pod = bank.admin.read("pods", f"--selector=app={NAME}")["items"][0]["metadata"]["name"]
    edited = bank.team("set", "image", f"pod/{pod}", "app=scoring:2")
    words = "change the image of Deployment scoring instead"
    verdict.denied("Image edited on a running pod", "team-dev", "pods.feem.dev", edited, words)
    debug = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "scoring:2", "targetContainerName": "app"}]}}
    words = f"--copy-to={NAME}-debug"
    inside = bank.admin("patch", "pod", pod, "--subresource=ephemeralcontainers", f"--patch={json.dumps(debug)}")
    verdict.denied("Ephemeral container in a running pod", "platform-admin", "pods.feem.dev", inside, words)


def test_the_canary_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank(steps=LONG)
    bank.running()
    verdict = judge(bank, "scoring:3")
    words = "objects with label feem.dev/track=canary are FEEM's"
    scaled = bank.team("scale", f"deployment/{CANARY}", "--replicas=9")
    verdict.denied("Canary scaled by hand", "team-dev", "canary.feem.dev", scaled, words)
    edited = bank.admin("set", "image", f"deployment/{CANARY}", "app=scoring:3")
    verdict.denied("Image edited on the canary", "platform-admin", "canary.feem.dev", edited, words)


def test_the_traffic_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank(steps=LONG)
    name = bank.running()
    verdict = judge(bank, "scoring:3")
    spec = (bank.shop.get("httproute") or {})["spec"]
    for reference in spec["rules"][0]["backendRefs"]:
        reference["weight"] = 100 if reference["name"] == CANARY else 0
    words = f"kubectl get rel {name} -n {bank.namespace}), or decide Abort"
    weighed = bank.admin(*patch("httproute", NAME, {"spec": spec}))
    verdict.denied("Weight edited by hand", "platform-admin", "traffic.feem.dev", weighed, words)
    unmarked = bank.admin("annotate", "httproute", NAME, "feem.dev/traffic-")
    verdict.denied("FEEM's mark taken off the HTTPRoute", "platform-admin", "traffic.feem.dev", unmarked, words)
    deleted = bank.admin("delete", "httproute", NAME)
    verdict.denied("HTTPRoute deleted mid-release", "platform-admin", "traffic.feem.dev", deleted, words)
    unpinned = bank.team(*patch("service", NAME, {"spec": {"selector": {"pod-template-hash": None}}}))
    words = "a release has pinned Service"
    verdict.denied("Service selector edited mid-release", "team-dev", "pinned.feem.dev", unpinned, words)


def test_out_of_the_profile(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    bank.asked()
    verdict = judge(bank)
    words = "ask somebody of ClusterRole feem-compliance"
    for attempt, change in (
        ("Service taken out of its profile", {"spec": {"complianceProfile": None}}),
        ("Service set to Observe", {"spec": {"mode": "Observe"}}),
        ("Service's label changed, to leave a freeze's scope", {"metadata": {"labels": {"tier": "none"}}}),
    ):
        out = bank.team(*patch("managedservice", NAME, change))
        verdict.denied(attempt, "team-dev", "services.feem.dev", out, words)


def test_the_audit_log_by_hand(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    bank.asked()
    verdict = judge(bank)
    record = bank.admin.read("auditrecords")["items"][-1]["metadata"]["name"]
    deleted = bank.admin("delete", "auditrecord", record)
    # Two policies deny it; while nothing is signed there is no AuditLog either, and the API server may name that one first.
    policy = "audit.feem.dev" if "'audit.feem.dev'" in deleted.told else "pruning.feem.dev"
    verdict.denied("AuditRecord deleted", "platform-admin", policy, deleted)
