"""Accepts GreyReleasePlans as soon as they are written, before any release depends on them."""

from __future__ import annotations

from feem.api.base import ConditionStatus
from feem.api.plan import GreyReleasePlan, PlanStatus
from feem.controllers.resources import PLANS
from feem.core.conditions import condition, said, with_condition
from feem.ports import Clock, Cluster


class AcceptanceController:
    """Writes a plan's condition `Accepted`."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster, self._clock = cluster, clock

    async def reconcile(self, namespace: str, name: str) -> None:
        """Accept a plan: everything that can be wrong with one is refused by the API server already."""
        body = self._cluster.get(PLANS, namespace, name)
        if body is None:
            return
        plan = GreyReleasePlan.read(body)
        generation, text = plan.metadata.generation, f"{len(plan.spec.steps)} steps"
        old = plan.status or PlanStatus()
        accepted = condition("Accepted", ConditionStatus.TRUE, "Accepted", text, self._clock.now(), generation)
        conditions, summary = with_condition(old.conditions, accepted), plan.spec.summary
        if said(conditions) != said(old.conditions) or summary != old.summary:
            status = PlanStatus(observed_generation=generation, conditions=conditions, summary=summary).wire()
            await self._cluster.write_status(PLANS, namespace, name, status, plan.metadata.resource_version)
