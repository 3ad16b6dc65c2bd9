"""What the canary is judged by at least."""

from __future__ import annotations

from feem.api.gate import ObjectivesGate
from feem.api.objective import Category
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case


def ask(gate: ObjectivesGate, case: Case) -> Answer:
    """Hold while too few objectives judge the release, or too few that speak for the business."""
    objectives = case.release.spec.objectives
    business = sum(objective.category is Category.BUSINESS for objective in objectives)
    step = f"add them to ManagedService {case.release.spec.service}, {case.again}"
    if len(objectives) < gate.minimum:
        message = f"{len(objectives)} of {gate.minimum} objectives judge the canary; {step}"
        return holds("TooFewObjectives", message, f"{len(objectives)} of {gate.minimum} objectives")
    if business < gate.business:
        message = f"{business} of {gate.business} objectives of category Business judge the canary; {step}"
        return holds("TooFewBusinessObjectives", message, f"{business} of {gate.business} Business objectives")
    return passes("ObjectivesThere", f"{len(objectives)} objectives judge the canary, {business} of them Business")
