"""Experiments on a service of the example, as its team writes and runs them; and the table of what they did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from e2e.kit.example import condition
from e2e.kit.kubectl import Kubectl, wait_until

Body = dict[str, Any]
SERVICE = "credit-check"
STEADY = 15
"""Seconds for which objectives have to have held before a fault."""
WARM = 2.0 * STEADY
"""Seconds of traffic after which these are full: scrapes come every 5 s, and the first of a pod counts for nothing."""
KINDS = "pods,deployments,networkpolicies,httproutes,backendtrafficpolicies"


@dataclass(frozen=True)
class Trial:
    """One experiment: its fault, how far it reaches, and the query that sees it; `{ns}` stands for the namespace."""

    name: str
    fault: Mapping[str, Any]
    radius: Mapping[str, Any]
    query: str = ""
    bound: tuple[str, str] = ("above", "0")
    objective: str = "half-is-answered"

    def manifest(self, namespace: str, **spec: Any) -> Body:
        """Return the ChaosExperiment."""
        hypothesis = {
            "objectives": [self.objective],
            "steadySeconds": STEADY,
            "recoverWithinSeconds": 120,
            "recoveryWindowSeconds": 15,
        }
        wanted = {
            "service": SERVICE,
            "fault": dict(self.fault),
            "blastRadius": {"durationSeconds": 20, **self.radius},
            "hypothesis": hypothesis,
            **spec,
        }
        if self.query:
            wanted["effect"] = {"query": self.query.replace("{ns}", namespace), self.bound[0]: self.bound[1]}
        meta = {"name": self.name, "namespace": namespace}
        return {"apiVersion": "feem.dev/v1alpha1", "kind": "ChaosExperiment", "metadata": meta, "spec": wanted}


@dataclass(frozen=True)
class Row:
    """What one run came to, for the table."""

    fault: str
    result: str
    cause: str
    effect: str
    undo_seconds: float
    recovery_seconds: float | None
    residue: tuple[str, ...]

    def line(self) -> str:
        """The row."""
        recovered = f"{self.recovery_seconds:.0f} s" if self.recovery_seconds is not None else "-"
        left = ", ".join(self.residue) or "none"
        result = f"{self.result} ({self.cause})"
        return f"{self.fault:<26} {result:<30} {self.effect:<26} {self.undo_seconds:>6.1f} s {recovered:>9} {left:>8}"


HEADER = f"{'fault':<26} {'result':<30} {'effect seen':<26} {'undone':>8} {'recovered':>9} {'residue':>8}"


@dataclass(frozen=True)
class Lab:
    """One namespace with the service in it."""

    kubectl: Kubectl

    def write(self, trial: Trial, **spec: Any) -> None:
        """Apply an experiment and wait until it is accepted."""
        self.kubectl.apply_text(yaml.safe_dump(trial.manifest(self.kubectl.namespace, **spec)))
        kind = "chaosexperiment"
        wait_until(f"{trial.name} accepted", lambda: self._says(kind, trial.name, "Accepted") == "Accepted", 30)

    def start(self, experiment: str, reason: str = "") -> str:
        """Ask for a run by hand; returns its name."""
        spec = {"experiment": experiment, **({"reason": reason} if reason else {})}
        meta = {"generateName": f"{experiment}-", "namespace": self.kubectl.namespace}
        body = {"apiVersion": "feem.dev/v1alpha1", "kind": "ChaosRun", "metadata": meta, "spec": spec}
        out = self.kubectl.run("create", "-o", "json", "-f", "-", stdin=yaml.safe_dump(body))
        return str(json.loads(out)["metadata"]["name"])

    def run(self, name: str) -> Body:
        """Return one run."""
        return self.kubectl.get("chaosrun", name) or {}

    def in_place(self, name: str) -> bool:
        """Whether the fault is in place; raises RuntimeError when the run ended before."""
        body = self.run(name)
        if (body.get("status") or {}).get("completedAt"):
            raise RuntimeError(f"{name}: {condition(body, 'Succeeded').get('message')}")
        return condition(body, "FaultInPlace").get("reason") == "InPlace"

    def ended(self, name: str, seconds: float = 240) -> Body:
        """Wait until a run is over and owes nothing; returns it."""

        def over() -> Body | None:
            body = self.run(name)
            owed = "feem.dev/cleanup" in (body.get("metadata", {}).get("finalizers") or ())
            return body if (body.get("status") or {}).get("completedAt") and not owed else None

        return wait_until(f"the end of {name}", over, seconds)

    def marked(self) -> tuple[str, ...]:
        """Return everything in the namespace that carries a fault."""
        found = self.kubectl.list(KINDS, "--selector=feem.dev/chaos")
        return tuple(f"{item['kind']} {item['metadata']['name']}" for item in found)

    def picture(self) -> Body:
        """Everything that a fault may touch, without what is of the moment; pods by what they are, for they are replaced."""
        found: Body = {}
        for item in self.kubectl.list(KINDS):
            metadata, spec = item["metadata"], item["spec"]
            if item["kind"] == "Pod":
                kept: Any = [metadata["labels"], [[c["image"], c.get("resources")] for c in spec["containers"]]]
                found.setdefault("pods", []).append(json.dumps(kept, sort_keys=True))
                continue
            notes = {
                key: value
                for key, value in (metadata.get("annotations") or {}).items()
                if "last-applied" not in key and "revision" not in key
            }
            found[f"{item['kind']} {metadata['name']}"] = [metadata.get("labels") or {}, notes, spec]
        found["pods"] = sorted(found.get("pods", []))
        return found

    def _says(self, kind: str, name: str, type_: str) -> str:
        return str(condition(self.kubectl.get(kind, name), type_).get("reason", ""))


def row_of(fault: str, body: Body, residue: Sequence[str]) -> Row:
    """Read what a run came to."""
    status = body["status"]
    effect = status.get("effect") or {}
    seen = f"{effect.get('before') or '0'} → {effect.get('during') or '?'} → {effect.get('after') or '?'}"
    if not effect.get("seenAt"):
        seen = "not seen"
    undone, recovered = _moment(status.get("undoneAt")), _moment(status.get("recoveredAt"))
    planned = _moment(status.get("injectedAt"))
    seconds = status["terms"]["blastRadius"]["durationSeconds"]
    late = (undone - planned) - seconds if undone and planned else 0.0
    return Row(
        fault=fault,
        result=str(condition(body, "Succeeded").get("reason")),
        cause=str(status.get("cause")),
        effect=seen,
        undo_seconds=late,
        recovery_seconds=recovered - undone if recovered and undone else None,
        residue=tuple(residue),
    )


def _moment(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
