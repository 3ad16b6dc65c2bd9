"""From a fault and a scene to the edits that make it: what is too much, or cannot work here, is refused and not cut down."""

from __future__ import annotations

from feem.api.fault import BlastRadius, Fault
from feem.core.chaos import http_faults, network_faults, pod_faults
from feem.core.chaos.pod_faults import Planned
from feem.core.chaos.scene import Scene, Unfit

CANARY_FAULTS = ("PodKill", "PodFailure", "NetworkPartition", "DependencyCut", "CpuPressure", "MemoryPressure")
"""What can be done to a canary: its Deployment and the route are the release's."""


def plan_fault(fault: Fault, radius: BlastRadius, scene: Scene, run_uid: str, *, canary: bool = False) -> Planned:
    """Return the edits in the order in which they are made; Unfit says why there are none. The same scene gives the same edits."""
    if canary and fault.kind not in CANARY_FAULTS:
        text = f"{fault.kind} cannot be kept to a canary: use one of {', '.join(CANARY_FAULTS)} in a release's step"
        return Unfit("NotOnCanary", text)
    on_pods = _on_pods(fault, radius, scene, run_uid)
    if on_pods is not None:
        return on_pods
    if fault.network_partition is not None:
        return network_faults.partition(scene, radius, fault.network_partition, run_uid)
    if fault.dependency_cut is not None:
        return network_faults.cut(scene, radius, fault.dependency_cut, run_uid)
    if fault.hits_requests:
        return http_faults.http(scene, radius, fault, run_uid)
    return Unfit("FaultUnknown", "this FEEM does not know the fault: bring the operator up to the version of its CRDs")


def _on_pods(fault: Fault, radius: BlastRadius, scene: Scene, run_uid: str) -> Planned | None:
    if fault.pod_kill is not None:
        return pod_faults.kill(scene, radius, fault.pod_kill, run_uid)
    if fault.pod_failure is not None:
        return pod_faults.fail(scene, radius, fault.pod_failure, run_uid)
    if fault.scale_down is not None:
        return pod_faults.scale_down(scene, radius, fault.scale_down)
    if fault.cpu_pressure is not None:
        return pod_faults.cpu(scene, radius, fault.cpu_pressure, run_uid)
    if fault.memory_pressure is not None:
        return pod_faults.memory(scene, radius, fault.memory_pressure, run_uid)
    return None
