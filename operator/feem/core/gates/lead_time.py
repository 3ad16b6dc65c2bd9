"""Time between the request and its start."""

from __future__ import annotations

from feem.api.gate import LeadTimeGate
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.words import counted
from feem.core.windows.days import problem_with_days, working_days_after
from feem.core.windows.words import moment


def ask(gate: LeadTimeGate, case: Case) -> Answer:
    """Hold until so many whole working days have passed since the request."""
    problem = problem_with_days(gate.time_zone, gate.country)
    if problem is not None:
        message = f"working days cannot be counted: {problem[1]}; whoever keeps the profile has to correct it"
        return holds(problem[0], message, "unusable lead time in the profile")
    over = working_days_after(case.requested_at, gate.working_days, gate.time_zone, gate.country)
    days = counted(gate.working_days, "working day")
    when = moment(over, case.now, gate.time_zone)
    if case.now >= over:
        return passes("LeadTimeOver", f"{days} were over {when}")
    message = f"request and start have to lie {days} apart, which is so from {when} on"
    return holds("LeadTime", message, f"lead time until {when}", over)
