"""One service of a bank under a compliance profile, in a namespace of its own, and everybody who has to do with its releases."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.integration.attempts.production import Production, production
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.operator import NAME, Shop, deployment, managed, objective, route, service, until
from tests.integration.people import People, decision

RBAC = "rbac.authorization.k8s.io"
HELD_ROLES = {"risk": "feem-risk", "compliance": "feem-compliance", "product": "feem-product"} | {
    "committee": "feem-committee",
    "dev": "feem-dev",
    "team": "edit",
    "pipeline": "edit",
}
"""Groups, and the ClusterRole each is bound to in the service's namespace; `edit` is Kubernetes' own, for Deployments."""
QUICK = [{"weight": 20, "bakeSeconds": 2}, {"weight": 60, "bakeSeconds": 2}]
LONG = [{"weight": 20, "bakeSeconds": 600}, {"weight": 60, "bakeSeconds": 600}]
HELD_FOR = 2.0
"""Seconds for which a held release is looked at; the operator looks at it every second."""


def group(role: str) -> str:
    """Name the group of those who hold a role."""
    return f"bank-{role}"


def belongings(namespace: str, profile: str, steps: Sequence[Manifest], annotations: dict[str, str]) -> Manifest:
    """Everything a team brings: its workload, its service under FEEM's care, and who holds which role there."""
    plan = {"steps": list(steps), "scaleDownDelaySeconds": 1}
    workload = deployment()
    workload["metadata"]["annotations"] = annotations
    cared_for = managed(plan=plan, complianceProfile=profile, owner="team-lending", dataClassification="Internal")
    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    bindings = [_binding(namespace, name, role) for name, role in HELD_ROLES.items()]
    items = [named, *bindings, workload, service(), route(), objective(), cared_for]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _binding(namespace: str, name: str, role: str) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": group(name), "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group(name)}],
    }


@dataclass(frozen=True)
class Bank:
    """The service, its people, and what users of it are served."""

    people: People

    @property
    def shop(self) -> Shop:
        return Shop(self.people.admin)

    @property
    def namespace(self) -> str:
        return self.people.namespace

    @property
    def admin(self) -> Kubectl:
        """The strongest attacker: cluster-admin."""
        return self.people.admin

    def person(self, name: str, *roles: str) -> Kubectl:
        """Somebody who holds these roles in the namespace and nothing else."""
        return self.people(name, *(group(role) for role in roles), "bank-staff")

    @property
    def team(self) -> Kubectl:
        return self.person("team-dev", "team", "dev")

    @property
    def risk(self) -> Kubectl:
        return self.person("risk-officer", "risk")

    @property
    def compliance(self) -> Kubectl:
        return self.person("compliance-officer", "compliance")

    @property
    def committee(self) -> Kubectl:
        return self.person("committee-member", "committee")

    def production(self) -> Production:
        return production(self.admin)

    def asked(self, tag: str = "2", by: Kubectl | None = None) -> str:
        """Somebody changes the image; returns the release that waits for its gates."""
        known = {item["metadata"]["name"] for item in self.shop.releases()}
        (by or self.team).done("set", "image", f"deployment/{NAME}", f"app=scoring:{tag}")

        def newest() -> str | None:
            names = (item["metadata"]["name"] for item in self.shop.releases())
            return next((name for name in names if name not in known), None)

        name = until(f"a release of {tag}", newest)
        until(f"{name} waits for its gates", lambda: self.gates(name) and self.state(name) == "Waiting")
        self._let_the_second_pass()
        return name

    def _let_the_second_pass(self) -> None:
        """Times of creation are whole seconds: what is decided in the second in which the policies were first seen is older."""
        since = ((self.shop.get("managedservice") or {}).get("status") or {}).get("guard", {}).get("since")
        if since:
            seen = datetime.fromisoformat(since).timestamp()
            time.sleep(min(2.0, max(0.0, seen + 1.1 - datetime.now(UTC).timestamp())))

    def release(self, name: str) -> Manifest:
        return self.shop.get("release.feem.dev", name) or {}

    def status(self, name: str) -> Manifest:
        found: Manifest = self.release(name).get("status") or {}
        return found

    def gates(self, name: str) -> dict[str, Manifest]:
        return {gate["name"]: gate for gate in self.status(name).get("gates") or ()}

    def state(self, name: str) -> str:
        return self.shop.reason("Progressing", "release.feem.dev", name)

    def decide(self, who: Kubectl, release: str, verb: str, **spec: Any) -> Manifest:
        """Somebody decides, and the API server accepts it; returns the Decision."""
        body = decision(release, verb, **spec)
        answer = who.within(self.namespace)("create", "--output=json", manifest=body)
        assert answer.code == 0, answer.told
        found: Manifest = json.loads(answer.out)
        return found

    def approve(self, release: str, *roles: str, **spec: Any) -> None:
        """The officers of these roles approve; of both, when none is named."""
        for role in roles or ("risk", "compliance"):
            self.decide(getattr(self, role), release, "Approve", role=role, **spec)

    def running(self, tag: str = "2") -> str:
        """A release that all have approved and that is in its first step; returns its name."""
        name = self.asked(tag)
        self.approve(name)
        try:
            until(f"step 1 of {name}", lambda: self.status(name).get("step") == 1)
        except AssertionError as late:
            raise AssertionError(f"{late}; {self.story(name)}") from late
        return name

    def story(self, name: str) -> str:
        """What a release says of itself, for a test that fails."""
        gates = (f"{gate['name']} {gate['reason']}: {gate['message']}" for gate in self.gates(name).values())
        state = self.shop.condition("release.feem.dev", "Progressing", name).get("message", "")
        return f"{name} is {self.state(name)}: {state}; {'; '.join(gates)}"

    def answer(self, made: Manifest) -> Manifest:
        """What the operator answers a Decision, on its status."""
        name = made["metadata"]["name"]
        return until(f"an answer to {name}", lambda: self.shop.condition("decision", "Applied", name))
