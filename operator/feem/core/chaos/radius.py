"""How far a fault may reach: which pods, and that no disruption budget is broken."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from feem.api.fault import BlastRadius
from feem.core.chaos.edit import Body
from feem.core.chaos.scene import Scene, Unfit, is_ready, labels_of, name_of, selects


def allowed(radius: BlastRadius, there: int) -> int:
    """Return how many of `there` pods the fault may hit: the number, or the percentage rounded down, but one at least."""
    if radius.pods is not None:
        return radius.pods
    return max(1, there * (radius.pod_percent or 0) // 100)


def picked(scene: Scene, radius: BlastRadius, run_uid: str) -> tuple[Body, ...] | Unfit:
    """Choose the pods: by chance, but the same ones for the same run, and Ready ones only."""
    ready = [pod for pod in scene.pods if is_ready(pod)]
    wanted = allowed(radius, len(ready))
    if wanted > len(ready) or not ready:
        return Unfit(
            "TooFewPods",
            f"{wanted} pods shall be hit and {len(ready)} of {len(scene.pods)} are Ready: wait for them, or lower blastRadius",
        )
    lots = sorted(ready, key=lambda pod: hashlib.sha256(f"{run_uid}/{pod['metadata']['uid']}".encode()).digest())
    return tuple(sorted(lots[:wanted], key=name_of))


def below_budget(scene: Scene, victims: Sequence[Body]) -> Unfit | None:
    """Say which PodDisruptionBudget would be broken if these pods were lost; None when none would."""
    for budget in scene.disruption_budgets:
        hit = [pod for pod in victims if selects(budget["spec"].get("selector"), labels_of(pod))]
        left = int((budget.get("status") or {}).get("disruptionsAllowed", 0))
        if len(hit) > left:
            return _broken(budget, len(hit), left)
    return None


def lost_by_scaling(scene: Scene, lost: int) -> Unfit | None:
    """The same for a number of pods that are scaled away, whichever Kubernetes chooses."""
    for budget in scene.disruption_budgets:
        hit = min(lost, sum(selects(budget["spec"].get("selector"), labels_of(pod)) for pod in scene.pods))
        left = int((budget.get("status") or {}).get("disruptionsAllowed", 0))
        if hit > left:
            return _broken(budget, hit, left)
    return None


def _broken(budget: Body, hit: int, left: int) -> Unfit:
    return Unfit(
        "BelowDisruptionBudget",
        f"PodDisruptionBudget {name_of(budget)} lets {left} more pods be lost and {hit} would be: lower blastRadius, or wait until "
        "more pods are Ready",
    )
