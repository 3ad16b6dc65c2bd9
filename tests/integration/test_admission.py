"""Policies in force on a real API server: a change is held in the request that makes it, whoever makes it and however."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.integration.conftest import OPERATOR, ROOT, AsUser
from tests.integration.kubectl import Kubectl, Manifest

pytestmark = pytest.mark.integration

STAMP = "feem.dev/requested-by"
GOVERNED = "feem.dev/governed"
PROMOTING = "feem.dev/promoting"


def deployment(name: str, image: str, **spec: Any) -> Manifest:
    """A Deployment as its owner writes it: nothing of FEEM in it."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": f"credit:{image}"}]},
            },
            **spec,
        },
    }


@dataclass(frozen=True)
class Governed:
    """One governed Deployment, seen by the people and the program that change it."""

    name: str
    alice: Kubectl
    bob: Kubectl
    operator: Kubectl

    def manifest(self, image: str, **spec: Any) -> Manifest:
        return deployment(self.name, image, **spec)

    def read(self) -> Manifest:
        return self.operator.read("deployment", self.name)

    @property
    def image(self) -> str:
        image: str = self.read()["spec"]["template"]["spec"]["containers"][0]["image"]
        return image.removeprefix("credit:")

    @property
    def paused(self) -> bool:
        return bool(self.read()["spec"].get("paused", False))

    @property
    def label(self) -> str | None:
        found: str | None = self.read()["metadata"].get("labels", {}).get(GOVERNED)
        return found

    @property
    def stamp(self) -> str | None:
        found: str | None = self.read()["metadata"].get("annotations", {}).get(STAMP)
        return found

    def replica_sets(self) -> dict[str, int]:
        """Wanted replicas by image, once the controller has seen the newest generation."""
        deadline = time.monotonic() + 20
        while (body := self.read())["status"].get("observedGeneration", 0) < body["metadata"]["generation"]:
            assert time.monotonic() < deadline, "the deployment controller does not come after"
            time.sleep(0.1)
        sets = self.operator.read("replicasets", f"--selector=app={self.name}")["items"]
        images = {item["spec"]["template"]["spec"]["containers"][0]["image"]: item["spec"]["replicas"] for item in sets}
        return {image.removeprefix("credit:"): replicas for image, replicas in images.items()}

    def hold(self) -> None:
        """Bring it to the state most tests start from: v2 asked for by alice, v1 serving."""
        self.alice.done("apply", manifest=self.manifest("2"))
        assert self.paused

    def promote(self) -> None:
        """What the operator does when the release is allowed."""
        patch = {"metadata": {"labels": {PROMOTING: "true"}}, "spec": {"paused": None}}
        self.operator.done("patch", "deployment", self.name, f"--patch={json.dumps(patch)}")

    def settle(self) -> None:
        """What the operator does when the rolling update is over."""
        patch = {"metadata": {"labels": {PROMOTING: None}, "annotations": {STAMP: None}}}
        self.operator.done("patch", "deployment", self.name, f"--patch={json.dumps(patch)}")


@pytest.fixture
def governed(as_user: AsUser, namespace: str) -> Iterator[Governed]:
    name = f"credit-{uuid.uuid4().hex[:6]}"
    found = Governed(name, *(as_user(user).within(namespace) for user in ("alice", "bob", OPERATOR)))
    found.alice.done("apply", manifest=found.manifest("1"))
    mark = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {GOVERNED: "credit"}}}
    found.operator.done("apply", "--server-side", "--field-manager=feem", manifest=mark)
    deadline = time.monotonic() + 20
    while found.replica_sets() != {"1": 2}:
        assert time.monotonic() < deadline, "the first ReplicaSet was not made"
        time.sleep(0.1)
    yield found
    found.alice.done("delete", "deployment", name, "--wait=false")


def test_applying_a_change_holds_it_and_tells_the_user(governed: Governed) -> None:
    told = governed.alice.done("apply", manifest=governed.manifest("2"))
    assert f"FEEM holds this change of {governed.name} until its release is allowed" in told
    assert f"kubectl get rel -n {governed.alice.namespace}" in told
    assert (governed.image, governed.paused, governed.stamp) == ("2", True, "alice")
    assert governed.replica_sets() == {"1": 2}, "old pods go on serving, no new ones are made"


def test_a_server_side_apply_that_comes_again_without_paused_stays_held(governed: Governed) -> None:
    apply = ("apply", "--server-side", "--field-manager=flux", "--force-conflicts")
    governed.alice.done(*apply, manifest=governed.manifest("2"))
    for _ in range(3):
        told = governed.alice.done(*apply, manifest=governed.manifest("2"))
        assert f"FEEM holds {governed.name} paused" in told
    assert (governed.image, governed.paused, governed.stamp) == ("2", True, "alice")
    assert governed.replica_sets() == {"1": 2}


def test_a_client_side_apply_that_comes_again_stays_held(governed: Governed) -> None:
    governed.hold()
    governed.alice.done("apply", manifest=governed.manifest("2"))
    assert (governed.paused, governed.stamp) == (True, "alice")


@pytest.mark.parametrize("how", [(), ("--server-side", "--force-conflicts")], ids=["client-side", "server-side"])
def test_an_explicit_paused_false_stays_held(governed: Governed, how: tuple[str, ...]) -> None:
    governed.alice.done("apply", *how, manifest=governed.manifest("2", paused=False))
    assert governed.paused
    governed.alice.done("apply", *how, manifest=governed.manifest("2", paused=False))
    assert governed.paused
    assert governed.replica_sets() == {"1": 2}


def test_rollout_resume_stays_held_and_says_so(governed: Governed) -> None:
    governed.hold()
    told = governed.alice.done("rollout", "resume", f"deployment/{governed.name}")
    assert f"FEEM holds {governed.name} paused until its release is allowed" in told
    assert governed.paused
    assert governed.replica_sets() == {"1": 2}


def test_rollout_restart_is_a_change_too(governed: Governed) -> None:
    governed.bob.done("rollout", "restart", f"deployment/{governed.name}")
    assert (governed.paused, governed.stamp) == (True, "bob")
    assert governed.replica_sets() == {"1": 2}


def test_the_last_to_change_the_template_is_the_requester(governed: Governed) -> None:
    governed.hold()
    governed.bob.done("set", "image", f"deployment/{governed.name}", "app=credit:3")
    assert (governed.image, governed.paused, governed.stamp) == ("3", True, "bob")


def test_scaling_while_held_scales_the_old_version(governed: Governed) -> None:
    governed.hold()
    assert governed.alice.done("scale", f"deployment/{governed.name}", "--replicas=4") == ""
    assert governed.replica_sets() == {"1": 4}
    governed.alice.done("patch", "deployment", governed.name, '--patch={"spec":{"replicas":3}}')
    assert governed.replica_sets() == {"1": 3}
    assert governed.paused


def test_the_label_taken_off_together_with_the_image_is_held_all_the_same(governed: Governed) -> None:
    change: Manifest = {
        "metadata": {"labels": {GOVERNED: None}},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "credit:2"}]}}},
    }
    governed.alice.done("patch", "deployment", governed.name, f"--patch={json.dumps(change)}")
    assert (governed.label, governed.image, governed.paused) == ("credit", "2", True)


def test_a_stamp_forged_with_the_change_is_overwritten(governed: Governed) -> None:
    forged = governed.manifest("2")
    forged["metadata"]["annotations"] = {STAMP: "bob"}
    governed.alice.done("apply", manifest=forged)
    assert (governed.paused, governed.stamp) == (True, "alice")


@pytest.mark.parametrize("edit", [f"{STAMP}=bob", f"{STAMP}-"], ids=["rewritten", "removed"])
def test_the_stamp_of_a_held_change_is_kept(governed: Governed, edit: str) -> None:
    governed.hold()
    governed.bob.done("annotate", "deployment", governed.name, edit, "--overwrite")
    assert (governed.paused, governed.stamp) == (True, "alice")


def test_a_stamp_without_a_change_does_not_stick(governed: Governed) -> None:
    governed.alice.done("annotate", "deployment", governed.name, f"{STAMP}=bob", "team=lending")
    assert (governed.paused, governed.stamp) == (False, None)
    assert governed.read()["metadata"]["annotations"]["team"] == "lending"


def test_replacing_the_object_with_the_owners_manifest_keeps_it_governed(governed: Governed) -> None:
    governed.alice.done("replace", manifest=governed.manifest("1"))
    assert (governed.label, governed.paused, governed.stamp) == ("credit", False, None)
    governed.alice.done("replace", manifest=governed.manifest("2"))
    assert (governed.label, governed.paused, governed.stamp) == ("credit", True, "alice")
    governed.bob.done("replace", manifest=governed.manifest("2"))
    assert (governed.label, governed.paused, governed.stamp) == ("credit", True, "alice")


@pytest.mark.parametrize("held", [True, False], ids=["held", "idle"])
@pytest.mark.parametrize("edit", [f"{GOVERNED}-", f"{GOVERNED}=other"], ids=["removed", "changed"])
def test_the_governed_label_cannot_be_taken_off(governed: Governed, edit: str, *, held: bool) -> None:
    if held:
        governed.hold()
    told = governed.alice.refused("label", "deployment", governed.name, edit, "--overwrite")
    assert "label feem.dev/governed is FEEM's own" in told
    assert f"kubectl delete msvc credit -n {governed.alice.namespace}" in told
    assert governed.label == "credit"


def test_the_governed_label_cannot_be_put_on_by_hand(governed: Governed) -> None:
    other = f"{governed.name}-free"
    governed.alice.done("apply", manifest=deployment(other, "1"))
    told = governed.alice.refused("label", "deployment", other, f"{GOVERNED}=credit")
    assert f"create a ManagedService for it in namespace {governed.alice.namespace}" in told
    assert governed.alice.done("apply", manifest=deployment(other, "2")) == "", "nobody holds what is not governed"
    body = governed.alice.read("deployment", other)
    assert "paused" not in body["spec"]
    assert STAMP not in body["metadata"]["annotations"]


def test_a_governed_deployment_can_be_deleted(governed: Governed) -> None:
    governed.hold()
    governed.alice.done("delete", "deployment", governed.name)
    governed.alice.done("apply", manifest=governed.manifest("3"))
    assert (governed.label, governed.paused) == (None, False)


def test_the_operator_lifts_the_pause_changes_the_template_and_takes_the_label_off(governed: Governed) -> None:
    governed.hold()
    assert governed.operator.done("patch", "deployment", governed.name, '--patch={"spec":{"paused":null}}') == ""
    assert not governed.paused
    assert governed.operator.done("set", "image", f"deployment/{governed.name}", "app=credit:1") == ""
    assert not governed.paused
    governed.operator.done("label", "deployment", governed.name, f"{GOVERNED}-")
    governed.alice.done("label", "deployment", governed.name, "tier=gold")
    assert governed.label is None


def test_a_change_during_a_promotion_has_to_wait(governed: Governed) -> None:
    governed.hold()
    governed.promote()
    told = governed.bob.refused("set", "image", f"deployment/{governed.name}", "app=credit:3")
    assert f"{governed.name} is being promoted; try again in a minute" in told
    assert "FEEM holds" not in told
    told = governed.bob.refused("rollout", "pause", f"deployment/{governed.name}")
    assert "is being promoted" in told
    governed.bob.done("scale", f"deployment/{governed.name}", "--replicas=3")
    governed.bob.done("apply", manifest=governed.manifest("2"))
    assert (governed.image, governed.paused) == ("2", False)
    told = governed.bob.refused("label", "deployment", governed.name, f"{PROMOTING}-")
    assert "label feem.dev/promoting is FEEM's own" in told


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client-side", "server-side"])
def test_after_a_promotion_the_owner_meets_no_conflict_and_the_deployment_is_the_owners(
    governed: Governed, how: tuple[str, ...], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    name = f"{governed.name}-full"
    owned = Governed(name, governed.alice, governed.bob, governed.operator)
    owned.alice.done("apply", *how, manifest=owned.manifest("1"))
    owned.operator.done("label", "deployment", name, f"{GOVERNED}=credit", "--field-manager=feem")
    owned.alice.done("apply", *how, manifest=owned.manifest("2"))
    assert owned.paused
    owned.promote()
    wait_until(lambda: owned.replica_sets().get("2") == 2)
    owned.settle()
    assert owned.alice.done("apply", *how, manifest=owned.manifest("2")) == ""
    body = owned.read()
    fresh = f"{name}-fresh"
    owned.alice.done("apply", *how, manifest=deployment(fresh, "2"))
    wanted = json.loads(json.dumps(owned.alice.read("deployment", fresh)["spec"]).replace(fresh, name))
    assert body["spec"] == wanted
    assert STAMP not in body["metadata"].get("annotations", {})
    assert "FEEM holds" in owned.alice.done("apply", *how, manifest=owned.manifest("3"))


def test_policies_pass_the_api_servers_type_check(
    as_user: AsUser, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """A misspelt field in a policy would only show when a request meets it."""
    admin = as_user("admin")
    documents = [yaml.safe_load(path.read_text().split("\n---\n")[0]) for path in (ROOT / "policies").glob("*.yaml")]
    names = [body["metadata"]["name"] for body in documents if body["kind"] == "ValidatingAdmissionPolicy"]

    def checked() -> bool:
        found = [admin.read("validatingadmissionpolicy", name) for name in names]
        return all("typeChecking" in body.get("status", {}) for body in found)

    wait_until(checked)
    for name in names:
        status = admin.read("validatingadmissionpolicy", name)["status"]
        assert status["typeChecking"] == {}, f"{name}: {status['typeChecking']}"
