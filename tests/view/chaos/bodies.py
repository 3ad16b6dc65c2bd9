"""Experiments, runs and halts as an API server would return them: a game day of four runs that end in four ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from feem.api.run import ChaosRun

Body = dict[str, Any]
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
QUERY = 'sum(up{namespace="lending",pod=~"credit-check-.*"})'
DIGEST = "sha256:" + "ab" * 32


def stamp(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def terms(fault: Body | None = None, **more: Any) -> Body:
    return {
        "service": "credit-check",
        "fault": fault or {"podKill": {"how": "Evict"}},
        "blastRadius": {"pods": 1, "durationSeconds": 60},
        "hypothesis": {"objectives": ["credit-answers"], "steadySeconds": 60, "recoverWithinSeconds": 120},
        **more,
    }


def experiment(name: str = "lose-a-pod", *, status: Body | None = None, **spec: Any) -> Body:
    body = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosExperiment",
        "metadata": {"name": name, "namespace": "lending", "uid": f"e-{name}", "generation": 2},
        "spec": {**terms(), **spec},
    }
    return {**body, "status": status} if status else body


def accepted(*, ok: bool = True, generation: int = 2, **more: Any) -> Body:
    reason, message = (
        ("Accepted", "") if ok else ("ObjectiveMissing", "ServiceLevelObjective credit-answers does not exist")
    )
    return {"conditions": [condition("Accepted", str(ok), reason, message, generation)], **more}


def condition(kind: str, status: str, reason: str, message: str = "", generation: int = 1) -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(10),
        "observedGeneration": generation,
    }


def halt(name: str = "halt-x7k2p", *namespaces: str) -> Body:
    spec = {"reason": "payments incident", "by": "mei", **({"namespaces": list(namespaces)} if namespaces else {})}
    return {"metadata": {"name": name, "uid": "h1", "creationTimestamp": stamp(720)}, "spec": spec}


def run(name: str = "lose-a-pod-x7k2p", experiment: str = "lose-a-pod", *, ago: float = 400, **status: Any) -> Body:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosRun",
        "metadata": {
            "name": name,
            "namespace": "lending",
            "uid": f"uid-{name}",
            "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": stamp(ago),
        },
        "spec": {"experiment": experiment, "requestedBy": "mei", "reason": "quarterly game day"},
        **({"status": status} if status else {}),
    }


def states(state: str, fault: str, result: str = "Running", message: str = "", said: str = "") -> list[Body]:
    good = {"Running": "Unknown", "Passed": "True"}.get(result, "False")
    return [
        condition("Progressing", str(state != "Ended"), state, said),
        condition("FaultInPlace", str(fault == "InPlace"), fault),
        condition("Succeeded", good, result, message),
    ]


def verdict(outcome: str = "Pass", bad: int = 1, total: int = 900, name: str = "credit-answers") -> Body:
    return {
        "name": name,
        "outcome": outcome,
        "reason": {"Pass": "WithinObjective", "Fail": "OutsideObjective"}.get(outcome, "TooFewSamples"),
        "message": f"{bad} of {total} bad ({bad / total:.2%}); the objective allows 1%",
        "canary": {"total": total, "bad": bad, "rate": f"{bad / total:.2%}"},
    }


def evict(pod: str) -> Body:
    detail = {
        "resource": "pods",
        "namespace": "lending",
        "name": pod,
        "uid": f"u-{pod}",
        "evict": True,
        "graceSeconds": None,
    }
    return {"object": f"Pod lending/{pod}", "action": "Remove", "detail": json.dumps(detail)}


def scale() -> Body:
    detail = {
        "resource": "deployments.apps",
        "namespace": "lending",
        "name": "credit-check",
        "uid": "d1",
        "fields": [{"path": "/spec/replicas", "before": 3, "after": 1}],
        "subresource": "",
    }
    return {"object": "Deployment lending/credit-check", "action": "Change", "detail": json.dumps(detail)}


def policy() -> list[Body]:
    target = {"resource": "pods", "namespace": "lending", "name": "credit-check-a", "uid": "u-a"}
    body = {"metadata": {"namespace": "lending", "name": "feem-chaos-1"}, "spec": {"policyTypes": ["Ingress"]}}
    made = {"resource": "networkpolicies.networking.k8s.io", "body": body}
    return [
        {"object": "Pod lending/credit-check-a", "action": "Tag", "detail": json.dumps(target)},
        {"object": "NetworkPolicy lending/feem-chaos-1", "action": "Make", "detail": json.dumps(made)},
    ]


def frozen(fault: Body | None = None, **more: Any) -> Body:
    return {**terms(fault, **more), "generation": 2, "digest": DIGEST}


def ended(name: str, result: str, cause: str, message: str, *, ago: float = 300, **more: Any) -> Body:
    """A run whose fault was in place for 60 s, was undone in 1.5 s, and that recovered 14 s later; `more` is other status."""
    status = {
        "conditions": states("Ended", "Undone", result, message, "over"),
        "cause": cause,
        "terms": frozen(),
        "deployment": "credit-check",
        "replicas": 3,
        "edits": [evict("credit-check-a")],
        "plannedAt": stamp(ago),
        "expiresAt": stamp(ago - 180),
        "injectedAt": stamp(ago - 2),
        "undoneAt": stamp(ago - 62),
        "recoveredAt": stamp(ago - 76),
        "completedAt": stamp(ago - 78),
        "before": [verdict()],
        "during": [verdict()],
        "after": [verdict()],
        "effect": {"seenAt": stamp(ago - 4.5), "goneAt": stamp(ago - 70), "message": "1 of the pods is gone"},
        **more,
    }
    return run(name, "-".join(name.split("-")[:-1]), ago=ago + 5, **status)


def passed(name: str = "lose-a-pod-x7k2p") -> Body:
    return ended(name, "Passed", "HypothesisHeld", "all objectives held before, during and after the fault")


def failed(name: str = "slow-bureau-q1w2e") -> Body:
    return ended(
        name,
        "Failed",
        "ObjectiveBreached",
        "objective credit-answers was breached after 21 s: 80 of 400 bad (20.00%)",
        ago=900,
        terms=frozen({"dependencyCut": {"service": "bureau"}}, effect={"query": QUERY, "below": "3"}),
        edits=policy(),
        during=[verdict("Fail", 80, 400)],
        breachedAt=stamp(877),
        effect={"query": QUERY, "before": "3", "during": "2", "after": "3", "seenAt": stamp(893), "goneAt": stamp(870)},
        undoneAt=stamp(875),
        recoveredAt=stamp(860),
        completedAt=stamp(858),
        kept=["/spec/replicas of Deployment lending/credit-check was changed by somebody else meanwhile, and left so"],
    )


def skipped(name: str = "lose-a-pod-s9k1d") -> Body:
    message = "changes are frozen, and so are experiments (year-end: Year-end close)"
    conditions = states("Ended", "Never", "Skipped", message)
    return run(name, conditions=conditions, cause="ChangeFreeze", terms=frozen(), completedAt=stamp(1200), ago=1202)


def left_over(name: str = "few-pods-e5r5o") -> Body:
    residue = ["/spec/replicas of Deployment lending/credit-check is still what the fault made it"]
    return ended(
        name, "Error", "EffectStayed", "not as before within the time: 1 of 3 pods are available", ago=2400, residue=residue,
        terms=frozen({"scaleDown": {"replicas": 1}}), edits=[scale()], recoveredAt=None,
    )  # fmt: skip


def game_day() -> list[Body]:
    return [passed(), failed(), skipped(), left_over()]


def read(body: Body) -> ChaosRun:
    return ChaosRun.read(body)
