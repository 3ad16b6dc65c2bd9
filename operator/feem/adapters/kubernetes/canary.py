"""The canary's Deployment and Service, made from the owner's: the same in everything but their track."""

from __future__ import annotations

import copy
from typing import Any

from feem.api import API_VERSION
from feem.core.digest import HASH_LABEL
from feem.core.rollout.effects import ApplyCanary
from feem.core.rollout.route import INTENT
from feem.ports import Body

SUFFIX = "-canary"
TRACK, CANARY = "feem.dev/track", "canary"
RELEASE = "feem.dev/release"
TEMPLATE_DIGEST = "feem.dev/template-digest"
_PORT_FIELDS = ("name", "protocol", "port", "targetPort", "appProtocol")


def deployment(owner: Body, effect: ApplyCanary, intent: int) -> Body:
    """Return the canary Deployment: the owner's spec with `feem.dev/track: canary` in selector and pods, never paused.

    The pods keep all labels of their own, so that NetworkPolicies and disruption budgets go on applying to them.
    """
    spec = copy.deepcopy(owner["spec"])
    spec.pop("paused", None)
    spec["replicas"] = effect.replicas
    spec["progressDeadlineSeconds"] = effect.progress_deadline_seconds
    selector = spec.setdefault("selector", {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), TRACK: CANARY}
    pods = spec["template"].setdefault("metadata", {})
    pods["labels"] = {**(pods.get("labels") or {}), TRACK: CANARY}
    metadata = _metadata(effect.namespace, effect.deployment + SUFFIX, effect, intent)
    metadata["annotations"][TEMPLATE_DIGEST] = effect.template_digest
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def service(owner: Body, effect: ApplyCanary, intent: int) -> Body:
    """Return the canary Service: the owner's ports, and its selector without the pin and with the canary's track."""
    own = owner["spec"]
    selector = {key: value for key, value in (own.get("selector") or {}).items() if key != HASH_LABEL}
    ports = [{key: port[key] for key in _PORT_FIELDS if key in port} for port in own.get("ports") or ()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(effect.namespace, effect.service + SUFFIX, effect, intent),
        "spec": {"type": "ClusterIP", "ports": ports, "selector": {**selector, TRACK: CANARY}},
    }


def is_canary(body: Body) -> bool:
    """Whether an object was made by FEEM as a canary, whichever release it belongs to."""
    return bool((body["metadata"].get("labels") or {}).get(TRACK) == CANARY and _releases(body))


def belongs_to(body: Body, release_uid: str) -> bool:
    """Whether a canary object was made for this release."""
    return release_uid in _releases(body)


def service_agrees(existing: Body, wanted: Body) -> bool:
    """Whether an existing canary Service has the wanted selector and ports; what the API server fills in does not count."""
    ports = [{key: port[key] for key in _PORT_FIELDS if key in port} for port in existing["spec"].get("ports") or ()]
    return bool(existing["spec"].get("selector") == wanted["spec"]["selector"] and ports == wanted["spec"]["ports"])


def _releases(body: Body) -> list[str]:
    owners = body["metadata"].get("ownerReferences") or ()
    return [owner["uid"] for owner in owners if owner.get("apiVersion") == API_VERSION and owner["kind"] == "Release"]


def _metadata(namespace: str, name: str, effect: ApplyCanary, intent: int) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "name": name,
        "labels": {TRACK: CANARY, RELEASE: effect.release},
        "annotations": {INTENT: str(intent)},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": "Release",
                "name": effect.release,
                "uid": effect.release_uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
