"""The objects a product team writes: what a world begins with."""

from __future__ import annotations

from typing import Any

from feem.ports import Body

NAMESPACE, NAME = "lending", "scoring"
Steps = tuple[tuple[int, int] | tuple[int, int, str], ...]
"""Weight and bake of each step, and which experiment the canary has to pass in it, if any."""
QUICK_STEPS: Steps = ((10, 3), (30, 3), (60, 3))


def template(version: str) -> Body:
    return {
        "metadata": {"labels": {"app": NAME}},
        "spec": {"containers": [{"name": "app", "image": f"feem.example/scoring:{version}"}]},
    }


def deployment(version: str, replicas: int, name: str = NAME) -> Body:
    return {
        "metadata": {"namespace": NAMESPACE, "name": name, "labels": {"team": "limits"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": NAME}},
            "strategy": {"type": "RollingUpdate"},
            "template": template(version),
        },
    }


def service() -> Body:
    spec = {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return {"metadata": {"namespace": NAMESPACE, "name": NAME}, "spec": spec}


def route() -> Body:
    spec = {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}]}
    return {"metadata": {"namespace": NAMESPACE, "name": NAME}, "spec": spec}


def objective() -> Body:
    return {
        "metadata": {"namespace": NAMESPACE, "name": "errors"},
        "spec": {
            "objective": "99.9",
            "indicator": {"ratio": {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}},
            "canary": {"minimumSamples": 20, "warmUpSeconds": 0, "dispersion": "1"},
        },
    }


def accepted(body: Body, at: str) -> dict[str, Any]:
    """The status that says an objective was checked."""
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": at,
        "observedGeneration": body["metadata"]["generation"],
    }
    return {"observedGeneration": body["metadata"]["generation"], "conditions": [condition]}


def profile(gates: list[dict[str, Any]], **spec: Any) -> Body:
    """A profile with these gates, accepted."""
    return {"metadata": {"name": "strict"}, "spec": {"gates": gates, **spec}}


def freeze(name: str, start: str, end: str, kind: str = "Freeze") -> Body:
    """A window between two local times of UTC."""
    spec = {"type": kind, "reason": "period end", "timeZone": "UTC", "range": {"start": start, "end": end}}
    return {"metadata": {"name": name}, "spec": spec}


def managed(steps: Steps, name: str = NAME, **more: Any) -> Body:
    plan = {
        "steps": [
            {"weight": step[0], "bakeSeconds": step[1], **({"chaos": {"experiment": step[2]}} if len(step) > 2 else {})}
            for step in steps
        ],
        "progressDeadlineSeconds": 10,
        "scaleDownDelaySeconds": 2,
        **more,
    }
    return {
        "metadata": {"namespace": NAMESPACE, "name": name},
        "spec": {
            "workload": {"kind": "Deployment", "name": NAME},
            "traffic": {"service": NAME, "httpRoute": NAME},
            "plan": plan,
            "objectives": [{"name": "errors"}],
        },
    }


def decision(release: str, verb: str, number: int, **spec: Any) -> Body:
    return {
        "metadata": {"namespace": NAMESPACE, "name": f"{verb.lower()}-{number:03d}"},
        "spec": {"release": release, "verb": verb, "reason": "because", "by": "pipeline", **spec},
    }
