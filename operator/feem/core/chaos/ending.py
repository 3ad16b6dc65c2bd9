"""How a run ends: its result, why, and that nothing is in place."""

from __future__ import annotations

from typing import Any

from feem.api.experiment import RunResult
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import next_status, status_of

TIME_IS_UP = "TimeIsUp"
BREACHED = "ObjectiveBreached"
NO_EFFECT, EFFECT_STAYED, INCONCLUSIVE, NOT_RECOVERED = (
    "FaultHadNoEffect",
    "EffectStayed",
    "Inconclusive",
    "NotRecovered",
)
ERRORS = frozenset(
    {"InjectionRefused", NO_EFFECT, EFFECT_STAYED, INCONCLUSIVE, "MetricsStale", "PlanUnreadable", "ResidueLeft"}
)
FAILURES = frozenset({BREACHED, NOT_RECOVERED})


def result_for(cause: str) -> RunResult:
    """Return the result of a run whose fault was, or might have been, in place."""
    if cause in FAILURES:
        return RunResult.FAILED
    return RunResult.ERROR if cause in ERRORS else RunResult.ABORTED


def end(s: RunSnapshot, result: RunResult, cause: str, message: str, **fields: Any) -> RunPlan:
    """Close a run. One that nothing was done for says so."""
    never = status_of(s.run).planned_at is None
    in_place = (False, "Never", "nothing was injected") if never else None
    status = next_status(
        s.run,
        s.now,
        progressing=(False, "Ended", f"{result.value}: {message}"),
        in_place=in_place,
        result=(result, message),
        cause=cause,
        completed_at=s.now,
        **fields,
    )
    warning = result is not RunResult.PASSED
    return RunPlan("ChaosRunEnded", cause, message, status, requeue=0, fact=True, warning=warning, event=True)
