"""Each effect against the real API server: what it writes, that it writes once, and that the owner gets everything back."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster import Cluster, user_kubeconfig
from feem.adapters.kubernetes.archive import KubernetesArchive
from feem.adapters.kubernetes.client import Client
from feem.core.digest import template_digest
from feem.core.rollout import effects as do
from feem.core.rollout.route import observed
from feem.ports import FINALIZER, Body, Conflict, Refused, Unavailable
from tests.integration.adapter import Adapter, adapter, ensure_gateway_api, operator_kubeconfig
from tests.integration.conftest import OPERATOR
from tests.integration.kubectl import Kubectl, Manifest

pytestmark = pytest.mark.integration

NAME, CANARY = "scoring", "scoring-canary"
DEPLOYMENTS, SERVICES, ROUTES = "deployments.apps", "services", "httproutes.gateway.networking.k8s.io"
RELEASES, MANAGED = "releases.feem.dev", "managedservices.feem.dev"
AsUser = Callable[[str], Kubectl]


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, as_user: AsUser) -> Path:
    ensure_gateway_api(cluster, as_user("admin"))
    return operator_kubeconfig(cluster)


@pytest.fixture
def owner(as_user: AsUser, namespace: str) -> Iterator[Kubectl]:
    """The product team, with a running service of two pods; nothing is left from test to test."""
    team = as_user("team@bank.example").within(namespace)
    for manifest in (*manifests(), managed_service()):
        apply(team, manifest)
    team.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    yield team
    admin = as_user(OPERATOR).within(namespace)
    for kind in ("release", "managedservice"):
        for item in admin.read(kind)["items"]:
            admin("patch", kind, item["metadata"]["name"], "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    kinds = "deployments,services,httproutes,releases,managedservices"
    admin.done("delete", kinds, "--all", "--wait=true", "--timeout=30s")


@pytest.fixture
async def feem(kubeconfig: Path, owner: Kubectl) -> AsyncIterator[Adapter]:
    async with adapter(kubeconfig) as found:
        yield found


def apply(user: Kubectl, manifest: Manifest) -> str:
    return user.done("apply", "--server-side", "--field-manager=owner", manifest=manifest)


def manifests(image: str = "bank/scoring:1") -> list[Manifest]:
    labels = {"app": NAME}
    container = {"name": "app", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": {"team": "credit"}, "annotations": {"bank.example/contact": "credit"}},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": {**labels, "tier": "web"}},
                    "spec": {
                        "containers": [container],
                        "nodeSelector": {"type": "kwok"},
                        "tolerations": [{"operator": "Exists"}],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {
                "selector": labels,
                "ports": [
                    {"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"},
                    {"name": "admin", "port": 81},
                ],
            },
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": NAME, "annotations": {"bank.example/zone": "dmz"}},
            "spec": {
                "parentRefs": [{"name": "edge"}],
                "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}],
            },
        },
    ]


def managed_service() -> Manifest:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ManagedService",
        "metadata": {"name": NAME},
        "spec": {
            "workload": {"name": NAME},
            "traffic": {"service": NAME, "httpRoute": NAME},
            "plan": {"steps": [{"weight": 10, "bakeSeconds": 1}]},
            "objectives": [{"name": "ok"}],
        },
    }


def release_spec(template: str) -> Body:
    query = 'http_requests_total{code=~"5.."}'
    objective = {"objective": "99.9", "indicator": {"ratio": {"total": "http_requests_total", "bad": query}}}
    return {
        "service": NAME,
        "deployment": NAME,
        "deploymentGeneration": 2,
        "attempt": 1,
        "templateDigest": template,
        "images": [{"name": "app", "image": "bank/scoring:2"}],
        "requestedBy": "team@bank.example",
        "traffic": {"service": NAME, "httpRoute": NAME},
        "stable": {"templateDigest": template, "podTemplateHash": "abc", "replicaSet": f"{NAME}-abc"},
        "plan": {"steps": [{"weight": 10, "bakeSeconds": 1}]},
        "objectives": [{"name": "ok", **objective}],
    }


async def release_of(feem: Adapter, namespace: str, template: str, name: str = f"{NAME}-2") -> Body:
    """Request a release as the controller would."""
    await feem.until(lambda: feem.cluster.get(MANAGED, namespace, NAME))
    service = feem.cluster.get(MANAGED, namespace, NAME)
    assert service is not None
    effect = do.CreateRelease(namespace, name, service["metadata"]["uid"], release_spec(template))
    await feem.cluster.perform(effect, 1)
    found = feem.cluster.get(RELEASES, namespace, name)
    assert found is not None
    return found


def canary_effect(namespace: str, release: Body, digest: str, replicas: int) -> do.ApplyCanary:
    metadata = release["metadata"]
    return do.ApplyCanary(namespace, NAME, NAME, metadata["name"], metadata["uid"], digest, replicas, 120)


def shift(namespace: str, weight: int, mark: str = "scoring-2/1/forward") -> do.SetWeight:
    return do.SetWeight(namespace, NAME, NAME, CANARY, weight, mark)


def deployment_of(feem: Adapter, namespace: str, name: str = NAME) -> Body:
    found = feem.cluster.get(DEPLOYMENTS, namespace, name)
    assert found is not None
    return found


def said(body: Body) -> Body:
    """What an owner wrote, with what the API server fills in; without what changes by itself."""
    metadata = {
        key: body["metadata"].get(key) for key in ("name", "labels", "annotations", "ownerReferences", "finalizers")
    }
    annotations = {
        k: v for k, v in (metadata["annotations"] or {}).items() if not k.startswith("deployment.kubernetes.io/")
    }
    return {"metadata": {**metadata, "annotations": annotations}, "spec": body["spec"]}


def managers(owner: Kubectl, kind: str) -> set[str]:
    fields = owner.read(kind, NAME, "--show-managed-fields")["metadata"]["managedFields"]
    return {entry["manager"] for entry in fields}


async def hold_version_two(feem: Adapter, owner: Kubectl, namespace: str) -> str:
    """The team asks for version 2; returns the digest of the held template."""
    await feem.cluster.perform(do.Govern(namespace, NAME, NAME), 0)
    apply(owner, manifests("bank/scoring:2")[0])
    await feem.until(lambda: deployment_of(feem, namespace)["spec"].get("paused"), "the change is held")
    return template_digest(deployment_of(feem, namespace)["spec"]["template"])


async def test_a_whole_release_leaves_everything_as_its_owner_wrote_it(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    before = {kind: said(owner.read(kind, NAME)) for kind in ("service", "httproute")}
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    stable = next(iter(feem.cluster.owned("replicasets.apps", deployment_of(feem, namespace)["metadata"]["uid"])))
    pod_hash = stable["metadata"]["labels"]["pod-template-hash"]

    await feem.cluster.perform(do.PinService(namespace, NAME, pod_hash), 2)
    await feem.cluster.perform(canary_effect(namespace, release, digest, 1), 3)
    await feem.until(lambda: (deployment_of(feem, namespace, CANARY).get("status") or {}).get("readyReplicas") == 1)
    for weight in (10, 50, 100):
        await feem.cluster.perform(shift(namespace, weight), 4)
        route = owner.read("httproute", NAME)
        assert observed(route, NAME, CANARY) == (weight, "scoring-2/1/forward", True)
    await feem.cluster.perform(do.Unpause(namespace, NAME, digest, promoting=True), 5)
    owner.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    await feem.until(lambda: deployment_of(feem, namespace)["status"].get("updatedReplicas") == 2)
    await feem.cluster.perform(do.SettleDeployment(namespace, NAME, standing=False), 6)
    await feem.cluster.perform(do.UnpinService(namespace, NAME), 7)
    await feem.cluster.perform(do.RestoreRoute(namespace, NAME, NAME, CANARY), 8)
    await feem.cluster.perform(do.DeleteCanary(namespace, NAME, NAME), 9)
    await feem.cluster.perform(do.Ungovern(namespace, NAME), 10)

    assert {kind: said(owner.read(kind, NAME)) for kind in before} == before
    deployment = said(owner.read("deployment", NAME))
    assert deployment["metadata"]["labels"] == {"team": "credit"}
    assert deployment["metadata"]["annotations"] == {"bank.example/contact": "credit"}
    assert "paused" not in deployment["spec"]
    for kind in ("deployment", "service", "httproute"):
        assert "feem" not in managers(owner, kind)
    assert owner("get", "deployment", CANARY).code != 0
    assert owner("get", "service", CANARY).code != 0


async def test_the_owner_applies_again_without_conflict(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    await feem.cluster.perform(do.PinService(namespace, NAME, "abc"), 1)
    await feem.cluster.perform(shift(namespace, 10), 2)
    await feem.cluster.perform(do.UnpinService(namespace, NAME), 3)
    await feem.cluster.perform(do.RestoreRoute(namespace, NAME, NAME, CANARY), 4)
    _, service, route = copy.deepcopy(manifests())
    service["spec"]["selector"] = {"app": NAME, "tier": "web"}
    route["spec"]["rules"][0]["backendRefs"][0]["weight"] = 3
    apply(owner, service)
    apply(owner, route)
    assert owner.read("service", NAME)["spec"]["selector"] == {"app": NAME, "tier": "web"}
    assert owner.read("httproute", NAME)["spec"]["rules"][0]["backendRefs"][0]["weight"] == 3


async def test_an_effect_that_holds_already_writes_nothing(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    forward: list[do.Effect] = [
        do.Govern(namespace, NAME, NAME),
        do.PinService(namespace, NAME, "abc"),
        canary_effect(namespace, release, digest, 1),
        shift(namespace, 10),
        do.Unpause(namespace, NAME, digest, promoting=True),
    ]
    back: list[do.Effect] = [
        do.SettleDeployment(namespace, NAME, standing=True),
        do.UnpinService(namespace, NAME),
        do.RestoreRoute(namespace, NAME, NAME, CANARY),
        do.DeleteCanary(namespace, NAME, NAME),
        do.Pause(namespace, NAME),
        do.Ungovern(namespace, NAME),
    ]
    feem.writes()
    for effects in (forward, back):
        for effect in effects:
            await again_and_again(feem, effect)
            feem.writes()
        for effect in effects:
            await again_and_again(feem, effect)
            assert feem.writes() == [], effect


async def again_and_again(feem: Adapter, effect: do.Effect) -> None:
    """Repeat over Conflicts, as the reconcile loop does: controllers write status in between."""
    for _ in range(50):
        try:
            await feem.cluster.perform(effect, 1)
        except Conflict:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError(effect)


async def test_the_canary_is_the_held_version_on_its_own_track(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    await feem.cluster.perform(do.PinService(namespace, NAME, "abc"), 1)
    await feem.cluster.perform(canary_effect(namespace, release, digest, 3), 7)
    deployment, service = owner.read("deployment", CANARY), owner.read("service", CANARY)
    for each in (deployment, service):
        assert each["metadata"]["labels"] == {"feem.dev/track": "canary", "feem.dev/release": f"{NAME}-2"}
        assert each["metadata"]["annotations"]["feem.dev/intent"] == "7"
        reference = each["metadata"]["ownerReferences"][0]
        assert (reference["kind"], reference["uid"], reference["controller"]) == (
            "Release",
            release["metadata"]["uid"],
            True,
        )
    assert deployment["metadata"]["annotations"]["feem.dev/template-digest"] == digest
    spec = deployment["spec"]
    assert spec["selector"] == {"matchLabels": {"app": NAME, "feem.dev/track": "canary"}}
    assert spec["template"]["metadata"]["labels"] == {"app": NAME, "tier": "web", "feem.dev/track": "canary"}
    assert spec["template"]["spec"] == deployment_of(feem, namespace)["spec"]["template"]["spec"]
    assert (spec["replicas"], spec["progressDeadlineSeconds"], spec.get("paused")) == (3, 120, None)
    assert service["spec"]["selector"] == {"app": NAME, "feem.dev/track": "canary"}
    ports = [
        (port["name"], port["port"], port["targetPort"], port.get("appProtocol")) for port in service["spec"]["ports"]
    ]
    assert ports == [("http", 80, "http", "http"), ("admin", 81, 81, None)]


async def test_a_canary_is_scaled_without_its_template(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    await again_and_again(feem, canary_effect(namespace, release, digest, 1))
    apply(owner, manifests("bank/scoring:3")[0])
    await feem.until(lambda: template_digest(deployment_of(feem, namespace)["spec"]["template"]) != digest)
    await again_and_again(feem, canary_effect(namespace, release, digest, 4))
    found = owner.read("deployment", CANARY)
    assert found["spec"]["replicas"] == 4
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "bank/scoring:2"


async def test_a_canary_of_another_template_is_not_made(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    with pytest.raises(Conflict, match="carries template"):
        await feem.cluster.perform(canary_effect(namespace, release, "sha256:" + "0" * 64, 1), 1)
    assert owner("get", "deployment", CANARY).code != 0


async def test_a_canary_that_another_release_left_is_replaced(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    old, new = await release_of(feem, namespace, digest), await release_of(feem, namespace, digest, f"{NAME}-2-r2")
    await feem.cluster.perform(canary_effect(namespace, old, digest, 1), 1)
    await again_and_again(feem, canary_effect(namespace, new, digest, 1))
    for kind in ("deployment", "service"):
        assert owner.read(kind, CANARY)["metadata"]["ownerReferences"][0]["uid"] == new["metadata"]["uid"]


async def test_somebody_elses_object_of_the_canarys_name_is_never_touched(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    theirs = {**manifests()[0], "metadata": {"name": CANARY}}
    apply(owner, theirs)
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    await feem.until(lambda: feem.cluster.get(DEPLOYMENTS, namespace, CANARY))
    with pytest.raises(Refused, match="is not FEEM's"):
        await feem.cluster.perform(canary_effect(namespace, release, digest, 1), 1)
    await feem.cluster.perform(do.DeleteCanary(namespace, NAME, NAME), 2)
    assert owner.read("deployment", CANARY)["spec"]["replicas"] == 2


async def test_only_the_canary_that_was_seen_is_deleted(
    feem: Adapter, owner: Kubectl, as_user: AsUser, namespace: str
) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    release = await release_of(feem, namespace, digest)
    await feem.cluster.perform(canary_effect(namespace, release, digest, 1), 1)
    seen = deployment_of(feem, namespace, CANARY)
    await feem.informer.stop()
    as_user(OPERATOR).within(namespace).done("delete", "deployment", CANARY, "--wait=true")  # its owner may not
    apply(owner, {**manifests()[0], "metadata": {"name": CANARY}})
    assert deployment_of(feem, namespace, CANARY) is seen
    await feem.cluster.perform(do.DeleteCanary(namespace, NAME, NAME), 2)
    assert owner.read("deployment", CANARY)["metadata"]["uid"] != seen["metadata"]["uid"]
    assert owner("get", "service", CANARY).code != 0


async def promote_version_two(feem: Adapter, owner: Kubectl, namespace: str) -> do.UndoTemplate:
    """Version 2, which differs in more than its image, runs in all pods; returns what takes it back."""
    stable = template_digest(deployment_of(feem, namespace)["spec"]["template"])
    await feem.cluster.perform(do.Govern(namespace, NAME, NAME), 0)
    apply(owner, version_two())
    await feem.until(lambda: deployment_of(feem, namespace)["spec"].get("paused"), "the change is held")
    digest = template_digest(deployment_of(feem, namespace)["spec"]["template"])
    await again_and_again(feem, do.Unpause(namespace, NAME, digest, promoting=True))
    await rolled(feem, owner, namespace)
    await feem.cluster.perform(do.SettleDeployment(namespace, NAME, standing=False), 2)
    return do.UndoTemplate(namespace, NAME, digest, stable, "scoring-2/BurnsTooFast")


def version_two() -> Manifest:
    """Another image, a variable more, a label less, an annotation more."""
    manifest = manifests("bank/scoring:2")[0]
    template = manifest["spec"]["template"]
    template["metadata"] = {"labels": {"app": NAME}, "annotations": {"bank.example/scrape": "yes"}}
    template["spec"]["containers"][0]["env"] = [{"name": "CUTOFF", "value": "0.4"}]
    return manifest


async def rolled(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    owner.done("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    await feem.until(lambda: deployment_of(feem, namespace)["status"].get("updatedReplicas") == 2)


async def test_an_undo_brings_the_earlier_template_back_and_every_field_to_its_owner(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    before = deployment_of(feem, namespace)["spec"]
    undo = await promote_version_two(feem, owner, namespace)
    feem.writes()
    await again_and_again(feem, undo)
    assert [verb for verb, _, code in feem.writes() if code == "200"] == ["patch"]
    body = owner.read("deployment", NAME)
    assert (body["spec"], body["metadata"]["annotations"]["feem.dev/undo"]) == (before, "scoring-2/BurnsTooFast")
    assert body["metadata"]["annotations"]["feem.dev/requested-by"] == "team@bank.example"
    assert "being promoted" in owner.refused("set", "image", f"deployment/{NAME}", "app=bank/scoring:3")
    await again_and_again(feem, undo)
    assert feem.writes() == []

    await rolled(feem, owner, namespace)
    live = [each for each in owner.read("replicaset")["items"] if each["spec"]["replicas"]]
    assert [template_digest(each["spec"]["template"]) for each in live] == [undo.stable_digest]
    end = do.EndUndo(namespace, NAME, standing=False)
    await again_and_again(feem, end)
    feem.writes()
    await again_and_again(feem, end)
    assert feem.writes() == []
    after = owner.read("deployment", NAME, "--show-managed-fields")["metadata"]
    assert after["labels"] == {"team": "credit", "feem.dev/governed": NAME}
    assert "feem.dev/undo" not in after["annotations"]
    mine = [each for each in after["managedFields"] if each["manager"] == "feem"]
    assert [each["operation"] for each in mine] == ["Apply"]

    apply(owner, version_two())
    again = owner.read("deployment", NAME)["spec"]
    assert again["paused"], "the hold policy holds the version that comes again"
    assert template_digest(again["template"]) == undo.template_digest


async def test_an_undo_of_what_somebody_changed_meanwhile_is_a_conflict(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    undo = await promote_version_two(feem, owner, namespace)
    seen = deployment_of(feem, namespace)
    await feem.informer.__aexit__(None, None, None)
    owner.done("annotate", "deployment", NAME, "bank.example/note=edited")
    with pytest.raises(Conflict):
        await feem.cluster.perform(undo, 3)
    assert owner.read("deployment", NAME)["spec"]["template"] == seen["spec"]["template"]


async def test_an_undo_of_another_template_or_without_a_way_back_is_a_conflict(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    undo = await promote_version_two(feem, owner, namespace)
    with pytest.raises(Conflict, match="carries template"):
        await feem.cluster.perform(replace(undo, template_digest=undo.stable_digest), 3)
    with pytest.raises(Conflict, match="no ReplicaSet"):
        await feem.cluster.perform(replace(undo, stable_digest="sha256:gone"), 3)
    assert feem.cluster.get(DEPLOYMENTS, namespace, NAME) == deployment_of(feem, namespace)


async def test_the_end_of_an_undo_under_a_standing_pause_pauses(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    undo = await promote_version_two(feem, owner, namespace)
    await again_and_again(feem, undo)
    await rolled(feem, owner, namespace)
    await again_and_again(feem, do.EndUndo(namespace, NAME, standing=True))
    body = owner.read("deployment", NAME)
    assert body["spec"]["paused"]
    assert "feem.dev/promoting" not in body["metadata"]["labels"]


async def test_resuming_another_template_is_a_conflict(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    apply(owner, manifests("bank/scoring:3")[0])
    await feem.until(lambda: template_digest(deployment_of(feem, namespace)["spec"]["template"]) != digest)
    with pytest.raises(Conflict):
        await feem.cluster.perform(do.Unpause(namespace, NAME, digest, promoting=True), 1)
    assert owner.read("deployment", NAME)["spec"]["paused"] is True


async def test_a_decision_on_an_old_state_is_a_conflict(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    digest = await hold_version_two(feem, owner, namespace)
    await feem.informer.stop()
    apply(owner, manifests("bank/scoring:3")[0])
    owner.done("label", "service", NAME, "seen=1")
    owner.done("label", "httproute", NAME, "seen=1")
    for effect in (
        do.Unpause(namespace, NAME, digest, promoting=True),
        do.PinService(namespace, NAME, "abc"),
        shift(namespace, 10),
    ):
        with pytest.raises(Conflict):
            await feem.cluster.perform(effect, 1)
    assert owner.read("deployment", NAME)["spec"]["paused"] is True


async def test_what_is_gone_needs_no_cleaning_and_cannot_go_forward(feem: Adapter, namespace: str) -> None:
    clean_up: list[do.Effect] = [
        do.Ungovern(namespace, "gone"),
        do.UnpinService(namespace, "gone"),
        do.RestoreRoute(namespace, "gone", "gone", "gone-canary"),
        do.DeleteCanary(namespace, "gone", "gone"),
        do.SettleDeployment(namespace, "gone", standing=True),
    ]
    for effect in clean_up:
        feem.writes()
        await feem.cluster.perform(effect, 1)
        assert feem.writes() == []
    forward: list[do.Effect] = [
        do.Govern(namespace, "gone", "gone"),
        do.PinService(namespace, "gone", "abc"),
        do.SetWeight(namespace, "gone", NAME, CANARY, 10, "m"),
        do.Unpause(namespace, "gone", "sha256:0", promoting=True),
        do.Pause(namespace, "gone"),
    ]
    for effect in forward:
        with pytest.raises(Conflict, match="gone"):
            await feem.cluster.perform(effect, 1)


async def test_governing_does_not_revive_a_deployment_that_is_gone(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    assert deployment_of(feem, namespace)
    await feem.informer.stop()
    owner.done("delete", "deployment", NAME, "--wait=true")
    with pytest.raises(Conflict):
        await feem.cluster.perform(do.Govern(namespace, NAME, NAME), 1)
    assert owner("get", "deployment", NAME).code != 0


async def test_a_release_asked_for_twice_is_one(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    first = await release_of(feem, namespace, "sha256:" + "1" * 64)
    second = await release_of(feem, namespace, "sha256:" + "2" * 64)
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    assert second["spec"]["templateDigest"] == "sha256:" + "1" * 64


async def test_evidence_is_kept_once_and_asking_for_it_stores_nothing(
    feem: Adapter, owner: Kubectl, namespace: str
) -> None:
    meta = (await release_of(feem, namespace, "sha256:" + "1" * 64))["metadata"]
    effect = do.KeepEvidence(namespace, meta["name"], meta["uid"], NAME, "sha256:" + "cd" * 32, b"samples")
    archive = KubernetesArchive(feem.client)
    assert not await archive.has(effect)
    assert not await archive.has(effect), "a dry run left something"
    await feem.cluster.perform(effect, 8)
    await feem.cluster.perform(effect, 8)
    assert await archive.has(effect)
    kept = owner.read("configmap", effect.name)
    assert kept["immutable"] is True
    assert kept["metadata"]["ownerReferences"][0]["uid"] == meta["uid"]


async def test_an_interrupted_restore_is_seen_and_finished(
    feem: Adapter, owner: Kubectl, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = said(owner.read("httproute", NAME))
    await feem.cluster.perform(shift(namespace, 10), 1)
    whole, count = feem.client.replace, [0]

    async def breaks(*args: Any, **more: Any) -> Body:
        count[0] += 1
        if count[0] == 2:
            raise Unavailable("the operator dies here")
        return await whole(*args, **more)

    monkeypatch.setattr(feem.client, "replace", breaks)
    restore = do.RestoreRoute(namespace, NAME, NAME, CANARY)
    with pytest.raises(Unavailable):
        await feem.cluster.perform(restore, 2)
    half = owner.read("httproute", NAME)
    assert observed(half, NAME, CANARY) == (0, "scoring-2/1/forward", False)
    await feem.cluster.perform(restore, 2)
    assert said(owner.read("httproute", NAME)) == before
    assert "feem" not in managers(owner, "httproute")


async def test_a_route_applied_in_mid_release_is_the_new_start(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    await feem.cluster.perform(shift(namespace, 10), 1)
    route = manifests()[2]
    route["spec"]["rules"][0]["backendRefs"][0]["weight"] = 5
    owner.done("apply", "--server-side", "--force-conflicts", "--field-manager=owner", manifest=route)
    await feem.until(
        lambda: not observed(feem.store.get(ROUTES, namespace, NAME) or route, NAME, CANARY).canary_refs_present
    )
    await feem.cluster.perform(shift(namespace, 20), 2)
    assert observed(owner.read("httproute", NAME), NAME, CANARY).weight == 20
    await feem.cluster.perform(do.RestoreRoute(namespace, NAME, NAME, CANARY), 3)
    assert owner.read("httproute", NAME)["spec"]["rules"][0]["backendRefs"][0]["weight"] == 5


async def test_status_is_written_once_for_each_state(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    release = await release_of(feem, namespace, "sha256:" + "1" * 64)
    version = release["metadata"]["resourceVersion"]
    await feem.cluster.write_status(RELEASES, namespace, f"{NAME}-2", {"observedGeneration": 1, "weight": 10}, version)
    assert owner.read("release", f"{NAME}-2")["status"]["weight"] == 10
    with pytest.raises(Conflict):
        await feem.cluster.write_status(RELEASES, namespace, f"{NAME}-2", {"observedGeneration": 1}, version)
    newer = feem.cluster.get(RELEASES, namespace, f"{NAME}-2")
    assert newer is not None
    version = newer["metadata"]["resourceVersion"]
    await feem.cluster.write_status(RELEASES, namespace, f"{NAME}-2", {"observedGeneration": 1}, version)
    found = owner.read("release", f"{NAME}-2")
    assert "weight" not in found["status"]
    assert found["spec"] == release["spec"]


async def test_what_the_api_server_refuses_is_told(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    release = await release_of(feem, namespace, "sha256:" + "1" * 64)
    with pytest.raises(Refused, match="weight"):
        await feem.cluster.write_status(
            RELEASES, namespace, f"{NAME}-2", {"weight": 1000}, release["metadata"]["resourceVersion"]
        )


async def test_the_finalizer_holds_until_it_is_taken_off(feem: Adapter, owner: Kubectl, namespace: str) -> None:
    await feem.until(lambda: feem.cluster.get(MANAGED, namespace, NAME))
    for _ in range(2):
        await feem.cluster.set_finalizer(MANAGED, namespace, NAME, present=True)
    assert owner.read("managedservice", NAME)["metadata"]["finalizers"] == [FINALIZER]
    owner.done("delete", "managedservice", NAME, "--wait=false")
    await feem.until(
        lambda: (feem.cluster.get(MANAGED, namespace, NAME) or {"metadata": {}})["metadata"].get("deletionTimestamp")
    )
    await feem.cluster.set_finalizer(MANAGED, namespace, NAME, present=False)
    assert feem.cluster.get(MANAGED, namespace, NAME) is None
    assert owner("get", "managedservice", NAME).code != 0
    await feem.cluster.set_finalizer(MANAGED, namespace, NAME, present=False)


async def test_a_user_without_rights_is_refused_with_the_reason(cluster: Cluster, namespace: str) -> None:
    async with await Client.connect(str(user_kubeconfig(cluster, "nobody@bank.example"))) as client:
        with pytest.raises(Refused, match="cannot get resource"):
            await client.get(SERVICES, namespace, NAME)
