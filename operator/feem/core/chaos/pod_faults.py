"""Faults that hit pods: lost, unable to run, too few, or short of processor time or memory."""

from __future__ import annotations

from feem.api.fault import BlastRadius, CpuPressure, MemoryPressure, PodFailure, PodKill, PodLoss, ScaleDown
from feem.core.chaos.edit import DEPLOYMENTS, PODS, Body, Change, Edit, Field, Remove, Target
from feem.core.chaos.quantity import amount, just_below
from feem.core.chaos.radius import allowed, below_budget, lost_by_scaling, picked
from feem.core.chaos.scene import Scene, Unfit, containers_of, name_of

NO_IMAGE = "feem.invalid/fault:none"
"""An image that no registry has: `.invalid` never resolves (RFC 2606)."""
Planned = tuple[Edit, ...] | Unfit


def target_of(pod: Body) -> Target:
    """Name one pod."""
    metadata = pod["metadata"]
    return Target(PODS, metadata["namespace"], metadata["name"], metadata["uid"])


def kill(scene: Scene, radius: BlastRadius, fault: PodKill, run_uid: str) -> Planned:
    """Take pods away."""
    pods = _victims(scene, radius, run_uid)
    if isinstance(pods, Unfit):
        return pods
    evict = fault.how is PodLoss.EVICT
    return tuple(Remove(target_of(pod), evict, fault.grace_seconds) for pod in pods)


def fail(scene: Scene, radius: BlastRadius, fault: PodFailure, run_uid: str) -> Planned:
    """Let a container of the pods not start again: its image becomes one that is nowhere."""
    pods = _victims(scene, radius, run_uid)
    if isinstance(pods, Unfit):
        return pods
    edits: list[Edit] = []
    for pod in pods:
        place = _place(pod, fault.container)
        if isinstance(place, Unfit):
            return place
        field = Field(f"/spec/containers/{place}/image", containers_of(pod)[place]["image"], NO_IMAGE)
        edits.append(Change(target_of(pod), (field,)))
    return tuple(edits)


def scale_down(scene: Scene, radius: BlastRadius, fault: ScaleDown) -> Planned:
    """Let the Deployment run fewer pods."""
    metadata, there = scene.deployment["metadata"], scene.replicas
    scaler = next((item for item in scene.autoscalers if _scales(item, metadata["name"])), None)
    if scaler is not None:
        text = (
            f"HorizontalPodAutoscaler {name_of(scaler)} decides how many pods there are, and would undo it: use podKill"
        )
        return Unfit("AutoscalerDecides", text)
    lost, most = there - fault.replicas, allowed(radius, there)
    if lost <= 0:
        text = (
            f"Deployment {metadata['name']} asks for {there} pods, {fault.replicas} shall be left: nothing would change"
        )
        return Unfit("TooFewPods", text)
    if lost > most:
        text = f"{lost} of {there} pods would be lost and blastRadius allows {most}: raise one of scaleDown.replicas and blastRadius"
        return Unfit("BeyondBlastRadius", text)
    broken = lost_by_scaling(scene, lost)
    target = Target(DEPLOYMENTS, metadata["namespace"], metadata["name"], metadata["uid"])
    return broken or (Change(target, (Field("/spec/replicas", there, fault.replicas),)),)


def cpu(scene: Scene, radius: BlastRadius, fault: CpuPressure, run_uid: str) -> Planned:
    """Lower a container's processor limit in place."""
    return _squeezed(scene, radius, run_uid, fault.container, "cpu", fault.limit)


def memory(scene: Scene, radius: BlastRadius, fault: MemoryPressure, run_uid: str) -> Planned:
    """Lower a container's memory limit in place."""
    return _squeezed(scene, radius, run_uid, fault.container, "memory", fault.limit)


def _squeezed(scene: Scene, radius: BlastRadius, run_uid: str, container: str, kind: str, limit: str) -> Planned:
    pods = _victims(scene, radius, run_uid)
    if isinstance(pods, Unfit):
        return pods
    edits: list[Edit] = []
    for pod in pods:
        place = _place(pod, container)
        fields = place if isinstance(place, Unfit) else _lowered(pod, place, kind, limit)
        if isinstance(fields, Unfit):
            return fields
        edits.append(Change(target_of(pod), fields, subresource="resize"))
    return tuple(edits)


def _lowered(pod: Body, place: int, kind: str, limit: str) -> tuple[Field, ...] | Unfit:
    """Return the limit's change, and the request's where it would be above it."""
    container = containers_of(pod)[place]
    resources = container.get("resources") or {}
    has, asks = (resources.get("limits") or {}).get(kind), (resources.get("requests") or {}).get(kind)
    wanted, now = amount(limit), amount(has)
    if has is None or now is None or wanted is None:
        text = (
            f"container {container['name']} of Pod {name_of(pod)} has no {kind} limit, and one that is added cannot be taken away "
            f"again: give it one in the Deployment"
        )
        return Unfit("NoLimit", text)
    if wanted >= now:
        text = f"container {container['name']} of Pod {name_of(pod)} is limited to {has} of {kind} already: choose less than that"
        return Unfit("NothingLowered", text)
    root = f"/spec/containers/{place}/resources"
    fields = [Field(f"{root}/limits/{kind}", has, limit)]
    least = amount(asks)
    if asks is not None and least is not None and least >= wanted:
        # a request that was below the limit stays below it: a resize may not make a Burstable pod a Guaranteed one
        fields.insert(0, Field(f"{root}/requests/{kind}", asks, limit if least == now else just_below(kind, wanted)))
    return tuple(fields)


def _victims(scene: Scene, radius: BlastRadius, run_uid: str) -> tuple[Body, ...] | Unfit:
    pods = picked(scene, radius, run_uid)
    return pods if isinstance(pods, Unfit) else below_budget(scene, pods) or pods


def _place(pod: Body, container: str) -> int | Unfit:
    names = [item["name"] for item in containers_of(pod)]
    if container in names:
        return names.index(container)
    return Unfit(
        "ContainerMissing", f"Pod {name_of(pod)} has no container {container!r}; it has {', '.join(names)}: name one"
    )


def _scales(scaler: Body, deployment: str) -> bool:
    reference = scaler["spec"]["scaleTargetRef"]
    return bool(reference["kind"] == "Deployment" and reference["name"] == deployment)
