"""Writes to the canary's own Deployment and Service."""

from __future__ import annotations

from feem.adapters.kubernetes import canary
from feem.adapters.kubernetes.resources import DEPLOYMENTS, SERVICES, type_of
from feem.adapters.kubernetes.workload import check_template
from feem.adapters.kubernetes.writer import Writer
from feem.core.rollout import effects as rollout
from feem.core.rollout.route import INTENT
from feem.ports import Body, Conflict, Refused


async def apply(writer: Writer, effect: rollout.ApplyCanary, intent: int) -> None:
    """Create or scale the canary Deployment, then see to its Service.

    Raises Conflict when the owner's Deployment carries another template by now, Refused when a name is taken by others.
    """
    name = effect.deployment + canary.SUFFIX
    existing = await _own(writer, DEPLOYMENTS, effect.namespace, name, effect.release_uid)
    if existing is None:
        owner = writer.need(DEPLOYMENTS, effect.namespace, effect.deployment)
        check_template(owner, effect.template_digest)
        await writer.create(DEPLOYMENTS, canary.deployment(owner, effect, intent))
    elif existing["spec"].get("replicas") != effect.replicas:
        patch = {"metadata": {"annotations": {INTENT: str(intent)}}, "spec": {"replicas": effect.replicas}}
        await writer.nudge(DEPLOYMENTS, existing, patch)
    if effect.replicas > 0:
        await _apply_service(writer, effect, intent)


async def remove(writer: Writer, effect: rollout.DeleteCanary) -> None:
    """Delete both. In the background, so that the names are free at once: by now no traffic goes to the pods."""
    for resource, name in ((DEPLOYMENTS, effect.deployment), (SERVICES, effect.service)):
        body = writer.get(resource, effect.namespace, name + canary.SUFFIX)
        if body is not None and canary.is_canary(body) and not body["metadata"].get("deletionTimestamp"):
            await writer.delete(resource, body)


async def _apply_service(writer: Writer, effect: rollout.ApplyCanary, intent: int) -> None:
    owner = writer.get(SERVICES, effect.namespace, effect.service)
    if owner is None:
        raise Conflict(f"Service {effect.namespace}/{effect.service} does not exist: the canary takes its ports over")
    name = effect.service + canary.SUFFIX
    existing = await _own(writer, SERVICES, effect.namespace, name, effect.release_uid)
    wanted = canary.service(owner, effect, intent)
    if existing is None:
        await writer.create(SERVICES, wanted)
    elif not canary.service_agrees(existing, wanted):
        selector = wanted["spec"]["selector"]
        stale = {key: None for key in existing["spec"].get("selector") or {} if key not in selector}
        spec = {"ports": wanted["spec"]["ports"], "selector": {**stale, **selector}}
        await writer.nudge(SERVICES, existing, {"metadata": {"annotations": {INTENT: str(intent)}}, "spec": spec})


async def _own(writer: Writer, resource: str, namespace: str, name: str, release_uid: str) -> Body | None:
    """Return this release's canary object. One that another release left is removed; one of somebody else's is refused."""
    existing = writer.get(resource, namespace, name)
    if existing is None or canary.belongs_to(existing, release_uid):
        return existing
    if not canary.is_canary(existing):
        raise Refused(
            f"{type_of(resource).kind} {namespace}/{name} exists and is not FEEM's, but the canary needs its name: rename it"
        )
    await writer.delete(resource, existing)
    return None
