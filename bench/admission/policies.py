"""Puts the policies' bindings in force and takes them out again, and waits until the API server goes by it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.admission.objects import Body
from bench.admission.plan import Arm
from bench.admission.wire import APPLY, Wire

ROOT = Path(__file__).parents[2]
ADMISSION = "admissionregistration.k8s.io/v1"
PLURALS = {
    "CustomResourceDefinition": "customresourcedefinitions",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Namespace": "namespaces",
}
PROBE = "bench-probe"
PROBE_PATH = "/api/v1/namespaces/default/configmaps?dryRun=All"
CHANGE_WITHIN = 30.0
"""Seconds until a change of the bindings has to be in force; it takes the API server about one."""


class NotInForceError(RuntimeError):
    """The API server does not go by what was written; the message says which."""


@dataclass(frozen=True)
class Policies:
    """The policies of this checkout, and what shows that they are in force."""

    admin: Wire
    bindings: tuple[Body, ...]
    names: tuple[str, ...]

    def bring(self, arm: Arm) -> None:
        """Write or delete all bindings, the probes' last, and wait; raises NotInForceError."""
        for body in (*self.bindings, *_probe_bindings()):
            if arm is Arm.WITH:
                self.admin.done("POST", collection(body), body)
            else:
                self.admin.done("DELETE", place(body))
        await_true(lambda: self._shown() == (arm is Arm.WITH, arm is Arm.WITH), "the policies' bindings")

    def _shown(self) -> tuple[bool, bool]:
        """Tell whether the mutating and the validating probe act: a policy written earlier is in force when a later one is."""
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": PROBE}}
        answer = self.admin.ask("POST", PROBE_PATH, json.dumps(body).encode())
        if not answer.fine:
            raise NotInForceError(f"the probe was refused, though it only marks and warns: {answer.text()}")
        return "data" in answer.body(), bool(answer.warnings)


def install(admin: Wire, say: Callable[[str], None]) -> Policies:
    """Apply CRDs and policies without bindings, and the probes; raises RefusedError."""
    definitions = read(ROOT / "crds")
    for body in definitions:
        apply(admin, body)
    await_true(lambda: all(_established(admin, body) for body in definitions), "the CRDs of this checkout")
    bodies = read(ROOT / "policies")
    bindings = tuple(body for body in bodies if body["kind"].endswith("Binding"))
    policies = [body for body in bodies if not body["kind"].endswith("Binding")]
    for body in (*policies, *_probes()):
        apply(admin, body)
    names = tuple(sorted(body["metadata"]["name"] for body in policies))
    say(f"{len(definitions)} CRDs and {len(names)} policies of this checkout are applied")
    return Policies(admin, bindings, names)


def read(folder: Path) -> list[Body]:
    """Read every manifest right in a folder."""
    return [body for path in sorted(folder.glob("*.yaml")) for body in yaml.safe_load_all(path.read_text()) if body]


def apply(admin: Wire, body: Body) -> None:
    """Apply one object that has no namespace."""
    admin.done("PATCH", f"{place(body)}?fieldManager=bench&force=true", body, APPLY)


def collection(body: Body) -> str:
    """Return the path of the kind's collection."""
    return f"{'/api/v1' if body['apiVersion'] == 'v1' else '/apis/' + body['apiVersion']}/{PLURALS[body['kind']]}"


def place(body: Body) -> str:
    """Return the object's path."""
    return f"{collection(body)}/{body['metadata']['name']}"


def await_true(true: Callable[[], bool], what: str, within: float = CHANGE_WITHIN) -> None:
    """Ask until it is so; raises NotInForceError."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            raise NotInForceError(
                f"{what}: not in force after {within:.0f} s; run the bench again on a quieter machine"
            )
        time.sleep(0.05)


def _established(admin: Wire, body: Body) -> bool:
    conditions = admin.done("GET", place(body)).get("status", {}).get("conditions", [])
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _probes() -> Sequence[Body]:
    """A policy that marks one ConfigMap, and one that warns of it."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "the-probe", "expression": f"object.metadata.name == '{PROBE}'"}],
    }
    mark = "[JSONPatch{op: 'add', path: '/data', value: {'seen': 'yes'}}]"
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": mark}}
    return (
        _admission("MutatingAdmissionPolicy", {**spec, "reinvocationPolicy": "Never", "mutations": [mutation]}),
        _admission("ValidatingAdmissionPolicy", {**spec, "validations": [{"expression": "false", "message": "seen"}]}),
    )


def _probe_bindings() -> Sequence[Body]:
    return (
        _admission("MutatingAdmissionPolicyBinding", {"policyName": PROBE}),
        _admission("ValidatingAdmissionPolicyBinding", {"policyName": PROBE, "validationActions": ["Warn"]}),
    )


def _admission(kind: str, spec: Body) -> Body:
    return {"apiVersion": ADMISSION, "kind": kind, "metadata": {"name": PROBE}, "spec": spec}
