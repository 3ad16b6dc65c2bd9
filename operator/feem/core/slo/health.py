"""What an objective's status says: whether its queries can be used, whether they return anything, how its budget stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from feem.api.base import Condition, ConditionStatus
from feem.api.objective import Budget, BurnRate, ObjectiveStatus, ServiceLevelObjective
from feem.core.conditions import condition, find, said, with_condition
from feem.core.slo import burn
from feem.core.slo.wording import budget_in_words

ACCEPTED, MEASURED, HEALTHY = "Accepted", "Measured", "BudgetHealthy"
FIGURES_SOON = timedelta(seconds=50)
"""How soon figures that leapt are written: with the next measurement, usually."""

FIGURES_AGAIN = timedelta(minutes=5)
"""How long figures stand in the status before newer ones replace them, when nothing else changed."""

Said = tuple[str, str]
"""A reason and a message."""


@dataclass(frozen=True)
class Findings:
    """What the metrics server answered: what its series lack, and the bad and all events of each window, or why not."""

    missing: Said | None = None
    counts: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""


@dataclass(frozen=True)
class Standing:
    """The budget in figures: what is left of it (1 down to below 0), and burn rates by window; without events, nothing."""

    left: float | None = None
    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    alerts: tuple[burn.Alert, ...] = ()
    """What burns too fast, fastest first."""


def has_budget(objective: ServiceLevelObjective) -> bool:
    """Whether the objective has an error budget: mixes and gauges have none."""
    return objective.spec.objective is not None


def windows(objective: ServiceLevelObjective) -> tuple[str, ...]:
    """Return every window to count events in, each once."""
    return burn.windows(objective.spec.window_days)


def checked(objective: ServiceLevelObjective, problem: Said | None, now: datetime) -> ObjectiveStatus:
    """Return the status after the queries were read; what was measured with queries that cannot be used is dropped."""
    old, generation = objective.status or ObjectiveStatus(), objective.metadata.generation
    if problem is not None:
        refused = condition(ACCEPTED, ConditionStatus.FALSE, *problem, now, generation)
        before = find(old.conditions, ACCEPTED)
        return ObjectiveStatus(
            observed_generation=generation, conditions=with_condition([before] if before else [], refused)
        )
    text = "the queries can be split by track; releases may depend on this objective"
    accepted = condition(ACCEPTED, ConditionStatus.TRUE, "Accepted", text, now, generation)
    return old.model_copy(
        update={"observed_generation": generation, "conditions": with_condition(old.conditions, accepted)}
    )


def standing(objective: ServiceLevelObjective, findings: Findings) -> Standing:
    """Turn counts into the budget's figures."""
    target, days = objective.spec.objective, objective.spec.window_days
    if target is None or findings.problem:
        return Standing()
    said = {window: burn.burn_rate(bad, total, target) for window, (bad, total) in findings.counts.items()}
    rates = {window: rate for window, rate in said.items() if rate is not None}
    left = burn.budget_left(*findings.counts.get(burn.whole(days), (0.0, 0.0)), target)
    return Standing(left, rates, tuple(burn.firing(rates, days)))


def measured(objective: ServiceLevelObjective, findings: Findings, now: datetime) -> ObjectiveStatus:
    """Return the status after the metrics server answered, or did not."""
    old, generation = objective.status or ObjectiveStatus(), objective.metadata.generation
    conditions = with_condition(old.conditions, _measured(findings, now, generation))
    if not has_budget(objective):
        conditions = [item for item in conditions if item.type != HEALTHY]
        return old.model_copy(update={"conditions": conditions, "budget": None})
    found = standing(objective, findings)
    healthy = condition(HEALTHY, *_healthy(objective, findings, found), now, generation)
    conditions = with_condition(conditions, healthy)
    budget = _budget(found, now) if not findings.problem else _still_true(old, generation)
    return old.model_copy(update={"conditions": conditions, "budget": budget})


def worth_writing(old: ObjectiveStatus, new: ObjectiveStatus, now: datetime) -> bool:
    """Whether the status changed enough for a write: at once for what conditions say, every few minutes for figures."""
    if said(old.conditions) != said(new.conditions) or _missing(old) != _missing(new):
        return True
    if old.budget is None or new.budget is None:
        return old.budget is not new.budget
    written = old.budget.updated_at
    patience = FIGURES_SOON if _leapt(old.budget, new.budget) else FIGURES_AGAIN
    return (written is None or now - written >= patience) and _moved(old.budget, new.budget)


def alarm(old: ObjectiveStatus, new: ObjectiveStatus) -> Condition | None:
    """Return `BudgetHealthy` when it has just turned False, for people to hear of it."""
    before, after = find(old.conditions, HEALTHY), find(new.conditions, HEALTHY)
    if after is None or after.status is not ConditionStatus.FALSE:
        return None
    return after if before is None or before.status is not ConditionStatus.FALSE else None


def _measured(findings: Findings, now: datetime, generation: int) -> Condition:
    if findings.missing is None:
        text = "the queries return series"
        return condition(MEASURED, ConditionStatus.TRUE, "SeriesFound", text, now, generation)
    reason, message = findings.missing
    known = ConditionStatus.FALSE if reason == "NoSeries" else ConditionStatus.UNKNOWN
    return condition(MEASURED, known, reason, message, now, generation)


def _healthy(objective: ServiceLevelObjective, findings: Findings, found: Standing) -> tuple[ConditionStatus, str, str]:
    if findings.problem:
        return ConditionStatus.UNKNOWN, "MetricsUnavailable", findings.problem
    days = objective.spec.window_days
    if found.left is None:
        text = f"no events were counted in the last {days} days: check that the service is used and scraped"
        return ConditionStatus.UNKNOWN, "NoEvents", text
    alert = next(iter(found.alerts), None)
    text = budget_in_words(found.left, days, alert)
    if alert is not None and alert.pair.severity is burn.Severity.PAGE:
        return ConditionStatus.FALSE, "BurnsFast", text
    if found.left <= 0:
        return ConditionStatus.FALSE, "BudgetSpent", text
    if alert is not None:
        return ConditionStatus.FALSE, "BurnsSlowly", text
    return ConditionStatus.TRUE, "BudgetHealthy", text


def _budget(found: Standing, now: datetime) -> Budget:
    rates = [BurnRate(name=window, rate=burn.rate_text(rate)) for window, rate in found.rates.items()]
    return Budget(left=burn.left_text(found.left), burn=rates, updated_at=now)


def _still_true(old: ObjectiveStatus, generation: int) -> Budget | None:
    """The figures from before the metrics server fell silent, unless they are those of another objective."""
    before = find(old.conditions, HEALTHY)
    return old.budget if before is not None and before.observed_generation == generation else None


def _missing(status: ObjectiveStatus) -> str:
    found = find(status.conditions, MEASURED)
    return found.message if found is not None and found.status is ConditionStatus.FALSE else ""


def _leapt(old: Budget, new: Budget) -> bool:
    """Whether what is left of the budget changed by a percentage point or more."""
    return bool(old.left) and bool(new.left) and abs(_number(new.left) - _number(old.left)) >= 1


def _moved(old: Budget, new: Budget) -> bool:
    before, after = {item.name: item.rate for item in old.burn}, {item.name: item.rate for item in new.burn}
    if before.keys() != after.keys() or bool(old.left) != bool(new.left):
        return True
    if old.left and abs(_number(new.left) - _number(old.left)) > 0.1 - 1e-6:
        return True
    return any(_jumped(_number(was), _number(after[name])) for name, was in before.items())


def _jumped(old: float, new: float) -> bool:
    return abs(new - old) > max(0.1, 0.1 * old) - 1e-6


def _number(text: str) -> float:
    """Read a figure as `left_text` and `rate_text` write it."""
    return float(text.removesuffix("%").removeprefix("<").replace("∞", "inf"))
