"""How much of the traffic the change may meet at once, by the release's own plan."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from feem.api.gate import ExposureGate
from feem.api.plan import PlanSpec
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case


def ask(gate: ExposureGate, case: Case) -> Answer:
    """Hold while the plan goes faster than the gate allows; every fault of it is named."""
    plan = case.release.spec.plan
    faults = list(_faults(gate, plan))
    if not faults:
        return passes("ExposureWithinLimits", f"the plan keeps the limits: {plan.summary}")
    message = f"the plan {plan.summary} goes too far: {'; '.join(faults)}; correct the plan, {case.again}"
    return holds("ExposureTooLarge", message, "plan beyond the limits")


def _faults(gate: ExposureGate, plan: PlanSpec) -> Iterator[str]:
    weights = [step.weight for step in plan.steps]
    if not weights:
        yield "it has no steps"
        return
    if weights[0] > gate.first_step_percent:
        yield f"its first step is {weights[0]}%, at most {gate.first_step_percent}% is allowed"
    for before, after in pairwise((*weights, 100)):
        if after - before > gate.largest_step_percent:
            yield f"from {before}% to {after}% is more than {gate.largest_step_percent} points at once"
    for step in plan.steps:
        if step.bake_seconds < gate.minimum_bake_seconds:
            yield f"{step.weight}% bakes {step.bake_seconds} s, at least {gate.minimum_bake_seconds} s are asked"
    if plan.watch_seconds < gate.watch_seconds:
        yield f"it watches {plan.watch_seconds} s after the promotion, at least {gate.watch_seconds} s are asked"
