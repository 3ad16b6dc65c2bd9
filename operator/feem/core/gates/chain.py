"""All gates at once, so that everything that is missing is seen at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from feem.api.gate import Gate, Stage
from feem.api.release import GateOutcome
from feem.core.gates import (
    approvals,
    data,
    debt,
    evidence,
    exposure,
    images,
    lead_time,
    objectives,
    own,
    practice,
    requirements,
    ticket,
    window,
)
from feem.core.gates.answer import Answer, holds
from feem.core.gates.ballot import Ballot, ballot_of
from feem.core.gates.break_glass import Emergency, emergency_of
from feem.core.gates.case import Case, case_of
from feem.core.gates.facts import GateFacts
from feem.core.gates.moments import earliest
from feem.core.gates.result import Compliance, GateResult, Reliance
from feem.core.windows.words import moment

Ask = Callable[[Any, Case], Answer]

KINDS: dict[str, Ask] = {
    "images": images.ask,
    "ticket": ticket.ask,
    "requirements": requirements.ask,
    "lead_time": lead_time.ask,
    "window": window.ask,
    "exposure": exposure.ask,
    "objectives": objectives.ask,
    "evidence": evidence.ask,
    "drill": practice.ask_drill,
    "runbook": practice.ask_runbook,
    "rollback_plan": practice.ask_rollback_plan,
    "data": data.ask,
}
"""The kinds of gates that need nothing but the case, by their field; approvals need the ballot as well."""

OWN: dict[str, Callable[[Case], Answer]] = {"freeze": window.ask_freezes, "debt": debt.ask}
OWN_OF_PROFILE: dict[str, Callable[[Case], Answer]] = {
    "guard": own.ask_guard,
    "profile": own.ask_profile,
    "clock": own.ask_clock,
    "author": own.ask_author,
}


def evaluate(facts: GateFacts) -> Compliance:
    """Ask every gate about an open release: FEEM's own first, then the profile's in its order, without those of Closure.

    The same facts give the same answer. Only `freeze` and the profile's gates can be skipped in an emergency.
    """
    case = case_of(facts)
    ballot, emergency = ballot_of(case), emergency_of(case)
    results: list[GateResult] = []
    rests_on: list[Reliance] = []
    for name, stage, answer, skippable in _answers(case, ballot):
        if answer.holds and skippable and name in emergency.skips:
            results.append(_in_emergency(name, stage, answer, case, emergency))
            rests_on.extend(emergency.rests_on)
        else:
            outcome = GateOutcome.HOLDING if answer.holds else GateOutcome.PASSED
            results.append(GateResult(name, stage, outcome, answer.reason, answer.message, answer.short, answer.until))
            rests_on.extend(answer.rests_on)
    return Compliance(tuple(results), case.binding, tuple(dict.fromkeys(rests_on)))


def _answers(case: Case, ballot: Ballot) -> Iterator[tuple[str, Stage, Answer, bool]]:
    """Each gate's name, stage and answer, and whether an emergency may skip it."""
    for name, ask in OWN.items():
        yield name, Stage.REQUEST, ask(case), name == "freeze"
    if case.compliance is None and case.facts.service.spec.compliance_profile is None:
        return
    for name, ask in OWN_OF_PROFILE.items():
        yield name, Stage.REQUEST, ask(case), False
    if case.compliance is None or case.facts.profile is None:
        return
    for gate in case.facts.profile.spec.gates:
        if gate.stage is not Stage.CLOSURE:
            yield gate.name, gate.stage, _ask(gate, case, ballot), True


def _ask(gate: Gate, case: Case, ballot: Ballot) -> Answer:
    if gate.approvals is not None:
        return approvals.ask(gate.approvals, case, ballot)
    for kind, ask in KINDS.items():
        spec = getattr(gate, kind)
        if spec is not None:
            return ask(spec, case)
    message = (
        f"gate {gate.name} is of a kind that this FEEM does not know: bring the operator up to the version of its CRDs"
    )
    return holds("UnknownKind", message, f"unknown gate {gate.name}")


def _in_emergency(name: str, stage: Stage, answer: Answer, case: Case, emergency: Emergency) -> GateResult:
    """What a gate says that would hold and that an emergency may skip."""
    decision, end = emergency.decision, emergency.until
    if decision is None or end is None:
        message = "; ".join((answer.message, *emergency.useless))
        return GateResult(name, stage, GateOutcome.HOLDING, answer.reason, message, answer.short, answer.until)
    message = (
        f"skipped until {moment(end, case.now, 'UTC')} by BreakGlass {decision.metadata.name} of {decision.spec.by} "
        f"(ticket {decision.spec.ticket}: {decision.spec.reason}); it would hold: {answer.message}"
    )
    return GateResult(name, stage, GateOutcome.SKIPPED, "BreakGlass", message, "", earliest((end, answer.until)))
