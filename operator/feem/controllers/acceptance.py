"""Checks ServiceLevelObjectives and GreyReleasePlans as soon as they are written, before any release depends on them."""

from __future__ import annotations

from feem.api.base import Condition, ConditionStatus
from feem.api.objective import ObjectiveStatus, ServiceLevelObjective
from feem.api.plan import GreyReleasePlan, PlanStatus
from feem.controllers.gather import OBJECTIVES, PLANS
from feem.core.conditions import condition, said, with_condition
from feem.ports import Clock, Cluster, Metrics, QueryProblem


class AcceptanceController:
    """Writes the condition `Accepted`."""

    def __init__(self, cluster: Cluster, metrics: Metrics, clock: Clock) -> None:
        self._cluster, self._metrics, self._clock = cluster, metrics, clock

    async def reconcile_objective(self, namespace: str, name: str) -> None:
        """Check the queries of one objective."""
        body = self._cluster.get(OBJECTIVES, namespace, name)
        if body is None:
            return
        objective = ServiceLevelObjective.read(body)
        generation = objective.metadata.generation
        old = objective.status or ObjectiveStatus()
        text = "the queries can be split by track; releases may depend on this objective"
        conditions = self._judged(old.conditions, generation, self._problem_with(objective), text)
        if said(conditions) != said(old.conditions):
            status = ObjectiveStatus(observed_generation=generation, conditions=conditions).wire()
            await self._cluster.write_status(OBJECTIVES, namespace, name, status, objective.metadata.resource_version)

    async def reconcile_plan(self, namespace: str, name: str) -> None:
        """Accept a plan: everything that can be wrong with one is refused by the API server already."""
        body = self._cluster.get(PLANS, namespace, name)
        if body is None:
            return
        plan = GreyReleasePlan.read(body)
        generation = plan.metadata.generation
        old = plan.status or PlanStatus()
        conditions = self._judged(old.conditions, generation, None, f"{len(plan.spec.steps)} steps")
        summary = plan.spec.summary
        if said(conditions) != said(old.conditions) or summary != old.summary:
            status = PlanStatus(observed_generation=generation, conditions=conditions, summary=summary).wire()
            await self._cluster.write_status(PLANS, namespace, name, status, plan.metadata.resource_version)

    def _problem_with(self, objective: ServiceLevelObjective) -> QueryProblem | None:
        ratio = objective.spec.indicator.ratio
        for field, query in (("bad", ratio.bad), ("total", ratio.total)):
            problem = self._metrics.check(query)
            if problem is not None:
                return QueryProblem(problem.reason, f"spec.indicator.ratio.{field}: {problem.message}")
        return None

    def _judged(
        self, old: list[Condition], generation: int, problem: QueryProblem | None, text: str
    ) -> list[Condition]:
        status = ConditionStatus.FALSE if problem else ConditionStatus.TRUE
        reason, message = (problem.reason, problem.message) if problem else ("Accepted", text)
        return with_condition(old, condition("Accepted", status, reason, message, self._clock.now(), generation))
