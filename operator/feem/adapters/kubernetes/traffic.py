"""Writes to the owner's Service and HTTPRoute, and giving both back."""

from __future__ import annotations

from feem.adapters.kubernetes import route
from feem.adapters.kubernetes.resources import ROUTES, SERVICES
from feem.adapters.kubernetes.writer import Writer, is_managed
from feem.core.digest import HASH_LABEL
from feem.core.rollout import effects as rollout
from feem.core.rollout.route import observed
from feem.ports import Refused


async def pin(writer: Writer, effect: rollout.PinService) -> None:
    """Let the Service select stable pods only."""
    body = writer.need(SERVICES, effect.namespace, effect.service)
    if (body["spec"].get("selector") or {}).get(HASH_LABEL) != effect.pod_template_hash:
        await writer.merge(SERVICES, body, {"spec": {"selector": {HASH_LABEL: effect.pod_template_hash}}})


async def unpin(writer: Writer, effect: rollout.UnpinService) -> None:
    """Give the selector back, and the ownership of it: the owner's next server-side apply meets no conflict."""
    body = writer.get(SERVICES, effect.namespace, effect.service)
    if body is not None and HASH_LABEL in (body["spec"].get("selector") or {}):
        body = await writer.merge(SERVICES, body, {"spec": {"selector": {HASH_LABEL: None}}})
    else:
        body = await writer.read(SERVICES, effect.namespace, effect.service)
    if body is not None and is_managed(body):
        await writer.replace(SERVICES, body)


async def set_weight(writer: Writer, effect: rollout.SetWeight, intent: int) -> None:
    """Write weights and mark in one request; raises Refused when the route's own weights cannot be split so finely."""
    body = writer.need(ROUTES, effect.namespace, effect.route)
    wanted = route.set_weight(body, effect.service, effect.canary_service, effect.weight, effect.mark, intent)
    if route.same(body, wanted):
        return
    seen = observed(wanted, effect.service, effect.canary_service)
    if seen.weight not in (effect.weight, 0):
        raise Refused(
            f"HTTPRoute {effect.namespace}/{effect.route}: its weights are too far apart to give the canary "
            f"{effect.weight}% of {effect.service}'s share; bring them closer together"
        )
    await writer.replace(ROUTES, wanted)


async def restore_route(writer: Writer, effect: rollout.RestoreRoute) -> None:
    """Give backends and weights back first, then annotations and field ownership: a crash between leaves a mark to see."""
    body = writer.get(ROUTES, effect.namespace, effect.route)
    bare = route.restore(body, effect.service, effect.canary_service) if body is not None else None
    if body is not None and bare is not None and bare["spec"] != body["spec"]:
        body = await writer.replace(ROUTES, {**body, "spec": bare["spec"]})
    else:
        body = await writer.read(ROUTES, effect.namespace, effect.route)
    if body is None:
        return
    bare = route.restore(body, effect.service, effect.canary_service)
    metadata = {key: value for key, value in body["metadata"].items() if key != "annotations"}
    if "annotations" in bare["metadata"]:
        metadata["annotations"] = bare["metadata"]["annotations"]
    if metadata != body["metadata"] or is_managed(body):
        await writer.replace(ROUTES, {**body, "metadata": metadata})
