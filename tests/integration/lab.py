"""A service under experiments: what the team writes, and what a test asks of its runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.kubectl import Manifest
from tests.integration.operator import NAME, Shop, until

HYPOTHESIS: Mapping[str, Any] = {
    "objectives": ["answers"],
    "steadySeconds": 15,
    "recoverWithinSeconds": 60,
    "recoveryWindowSeconds": 15,
}


def experiment(name: str, fault: Mapping[str, Any], radius: Mapping[str, Any], **spec: Any) -> Manifest:
    """Return a ChaosExperiment of the shop's service."""
    wanted = {"service": NAME, "fault": fault, "blastRadius": radius, "hypothesis": dict(HYPOTHESIS), **spec}
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosExperiment",
        "metadata": {"name": name},
        "spec": wanted,
    }


@dataclass(frozen=True)
class Lab:
    """The shop, and its runs."""

    shop: Shop

    def run(self, name: str, **spec: Any) -> str:
        """Ask for a run by hand; returns its name."""
        body = {
            "apiVersion": "feem.dev/v1alpha1",
            "kind": "ChaosRun",
            "metadata": {"generateName": f"{name}-"},
            "spec": {"experiment": name, **spec},
        }
        answer = self.shop.kubectl("create", "-o", "json", manifest=body)
        assert answer.code == 0, answer.told
        return str(json.loads(answer.out)["metadata"]["name"])

    def body(self, run: str) -> Manifest:
        return self.shop.get("chaosrun", run) or {}

    def state(self, run: str) -> str:
        return self.shop.reason("Progressing", "chaosrun", run)

    def in_place(self, run: str) -> bool:
        return self.shop.reason("FaultInPlace", "chaosrun", run) == "InPlace"

    def placed(self, run: str, seconds: float = 30.0) -> None:
        """Wait until the fault is in place; a run that ends before says why."""

        def there() -> bool:
            assert not (self.body(run).get("status") or {}).get("completedAt"), self.message(run)
            return self.in_place(run)

        until("in place", there, seconds)

    def ending(self, run: str) -> tuple[str, str] | None:
        """Result and cause of a run that is over and owes nothing."""
        body = self.body(run)
        status = body.get("status") or {}
        if not status.get("completedAt") or "feem.dev/cleanup" in (body["metadata"].get("finalizers") or ()):
            return None
        return self.shop.reason("Succeeded", "chaosrun", run), str(status.get("cause", ""))

    def ended(self, run: str, seconds: float = 90.0) -> tuple[str, str]:
        return until(f"the end of {run}", lambda: self.ending(run), seconds)

    def message(self, run: str) -> str:
        return str(self.shop.condition("chaosrun", "Succeeded", run).get("message", ""))


def marked(shop: Shop, kinds: str = "pods,deployments,networkpolicies,httproutes") -> list[str]:
    """Return everything in the namespace that carries a fault."""
    items = shop.kubectl.read(kinds, "--selector=feem.dev/chaos")["items"]
    return [f"{item['kind']} {item['metadata']['name']}" for item in items]
