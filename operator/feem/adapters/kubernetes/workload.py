"""Writes to the owner's Deployment, and the Release that asks for its change."""

from __future__ import annotations

from typing import Any

from feem.adapters.kubernetes.announced import Owner, create_once
from feem.adapters.kubernetes.resources import DEPLOYMENTS, RELEASES
from feem.adapters.kubernetes.writer import Writer
from feem.core.digest import template_digest
from feem.core.rollout import effects as rollout
from feem.core.rollout.route import PREFIX
from feem.ports import Body, Conflict

GOVERNED = "feem.dev/governed"
PROMOTING = "feem.dev/promoting"


async def govern(writer: Writer, effect: rollout.Govern) -> None:
    """Put the governed label on by server-side apply, so that it can be taken off without a trace."""
    body = writer.need(DEPLOYMENTS, effect.namespace, effect.deployment)
    if _labels(body).get(GOVERNED) == effect.service:
        return
    metadata = {
        "namespace": effect.namespace,
        "name": effect.deployment,
        "uid": body["metadata"]["uid"],
        "labels": {GOVERNED: effect.service},
    }
    await writer.apply(DEPLOYMENTS, {"metadata": metadata})


async def ungovern(writer: Writer, effect: rollout.Ungovern) -> None:
    """Take all of FEEM's labels and annotations off."""
    body = writer.get(DEPLOYMENTS, effect.namespace, effect.deployment)
    if body is None:
        return
    marks = {
        field: {key: None for key in body["metadata"].get(field) or {} if key.startswith(PREFIX)}
        for field in ("labels", "annotations")
    }
    if any(marks.values()):
        await writer.nudge(DEPLOYMENTS, body, {"metadata": {key: value for key, value in marks.items() if value}})


async def create_release(writer: Writer, effect: rollout.CreateRelease, intent: int) -> None:
    """Create the Release."""
    owner = Owner("ManagedService", effect.spec["service"], effect.service_uid)
    await create_once(writer, RELEASES, (effect.namespace, effect.name), effect.spec, owner, intent)


async def unpause(writer: Writer, effect: rollout.Unpause) -> None:
    """Let the native rolling update begin; raises Conflict when the Deployment carries another template by now."""
    body = writer.need(DEPLOYMENTS, effect.namespace, effect.deployment)
    check_template(body, effect.template_digest)
    marked = _labels(body).get(PROMOTING) == "true" or not effect.promoting
    if not body["spec"].get("paused") and marked:
        return
    patch: dict[str, Any] = {"spec": {"paused": None}}
    if effect.promoting:
        patch["metadata"] = {"labels": {PROMOTING: "true"}}
    await writer.merge(DEPLOYMENTS, body, patch)


async def settle(writer: Writer, effect: rollout.SettleDeployment) -> None:
    """Take the promoting mark off, and pause again where a standing pause is what holds changes."""
    body = writer.get(DEPLOYMENTS, effect.namespace, effect.deployment)
    if body is None:
        return
    patch: dict[str, Any] = {}
    if PROMOTING in _labels(body):
        patch["metadata"] = {"labels": {PROMOTING: None}}
    if effect.standing and not body["spec"].get("paused"):
        patch["spec"] = {"paused": True}
    if patch:
        await writer.nudge(DEPLOYMENTS, body, patch)


async def pause(writer: Writer, effect: rollout.Pause) -> None:
    """Pause the Deployment at rest."""
    body = writer.need(DEPLOYMENTS, effect.namespace, effect.deployment)
    if not body["spec"].get("paused"):
        await writer.nudge(DEPLOYMENTS, body, {"spec": {"paused": True}})


def check_template(body: Body, digest: str) -> None:
    """Raise Conflict unless the Deployment carries the pod template with this digest."""
    carried = template_digest(body["spec"]["template"])
    if carried != digest:
        metadata = body["metadata"]
        raise Conflict(
            f"Deployment {metadata['namespace']}/{metadata['name']} carries template {carried}, not {digest}"
        )


def _labels(body: Body) -> dict[str, str]:
    return body["metadata"].get("labels") or {}
