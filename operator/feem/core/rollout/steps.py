"""Where a release is in its plan, and what each step asks for."""

from __future__ import annotations

import math

from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import status_of


def current_step(s: ReleaseSnapshot) -> int:
    """The step the traffic is in. The route's mark knows best: it was written with the weights."""
    mark = s.traffic.mark if s.traffic is not None else None
    if mark is not None and mark.release == s.release.metadata.name and not mark.ending:
        return mark.step
    return status_of(s.release).step


def weight_of(s: ReleaseSnapshot, step: int) -> int:
    """Percent of the requests for the canary in a step; after the last step, all."""
    steps = s.release.spec.plan.steps
    return steps[step - 1].weight if step <= len(steps) else 100


def replicas_of(s: ReleaseSnapshot, step: int) -> int:
    """Canary pods of a step: the plan's number, else the workload's replicas times the weight, rounded up, at least one."""
    steps, full = s.release.spec.plan.steps, s.workload.replicas if s.workload else 0
    if step > len(steps):
        return max(1, full)
    return steps[step - 1].replicas or max(1, math.ceil(full * steps[step - 1].weight / 100))


def name_of(s: ReleaseSnapshot, step: int) -> str:
    """Say a step for people, e.g. `step 1/3 at 10%`."""
    last = len(s.release.spec.plan.steps)
    return f"step {step}/{last} at {weight_of(s, step)}%" if step <= last else "promotion"
