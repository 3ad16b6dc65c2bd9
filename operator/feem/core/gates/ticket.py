"""The change names its ticket, and where the profile says so, the ticket system says that it allows the change."""

from __future__ import annotations

from datetime import timedelta

from feem.api.gate import TicketGate, TicketSystem, TicketVerification
from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.binding import facts_of
from feem.core.gates.case import Case
from feem.core.gates.reference import bad_pattern, compiled, fits
from feem.core.gates.words import cut

LOOKED_UP_AGAIN = timedelta(seconds=30)
"""How soon a ticket that does not allow the change is looked up anew: nothing tells FEEM when it does."""


def ask(gate: TicketGate, case: Case) -> Answer:
    """Hold while no ticket is named, its form is wrong, or its system does not say yes."""
    pattern = compiled(gate.pattern)
    if pattern is None:
        return bad_pattern(gate.pattern)
    ticket = case.said.get(gate.annotation, "")
    step = case.annotate(gate.annotation, "TICKET")
    if not ticket:
        message = f"no ticket is named; it has to look like {gate.pattern}: {step}"
        return holds("TicketMissing", message, "ticket")
    if not fits(pattern, ticket):
        shown = cut(ticket, 64)
        return holds("TicketMalformed", f"{shown!r} does not look like {gate.pattern}: {step}", f"ticket {shown}")
    if gate.verification is None:
        return passes("TicketNamed", f"ticket {ticket} is named")
    return _verified(gate.verification, ticket, case)


def _verified(wanted: TicketVerification, ticket: str, case: Case) -> Answer:
    system, again = wanted.provider.value, case.now + LOOKED_UP_AGAIN
    answer = case.facts.tickets.get(ticket)
    if answer is None:
        message = f"ticket {ticket} has not been looked up in {system} yet; that is tried again by itself"
        return holds("TicketUnchecked", message, f"ticket {ticket} unchecked", again)
    if answer.problem:
        message = f"ticket {ticket} cannot be looked up in {system}: {answer.problem}; it is tried again by itself"
        return holds("TicketSystemUnavailable", message, f"ticket {ticket}: {system} unavailable", again)
    if answer.missing:
        message = f"{system} has no ticket {ticket}; create it, or name another"
        return holds("TicketNotFound", message, f"ticket {ticket} not found", again)
    allowed = " or ".join(wanted.statuses)
    if answer.status.strip().casefold() not in {status.strip().casefold() for status in wanted.statuses}:
        message = f"ticket {ticket} is in state {answer.status!r} in {system}; have it brought to {allowed}"
        return holds("TicketNotApproved", message, f"ticket {ticket} {answer.status}".strip(), again)
    return passes("TicketApproved", f"ticket {ticket} is in state {answer.status} in {system}")


def wanted_tickets(release: Release, profile: ComplianceProfile | None) -> tuple[tuple[TicketSystem, str], ...]:
    """Return which tickets have to be looked up, and where, before the gates are asked; each once, in the order of the gates."""
    said = facts_of(release, profile)
    gates = profile.spec.gates if profile is not None else []
    wanted = (
        _looked_up(gate.ticket, said.get(gate.ticket.annotation, "")) for gate in gates if gate.ticket is not None
    )
    return tuple(dict.fromkeys(pair for pair in wanted if pair is not None))


def _looked_up(gate: TicketGate, ticket: str) -> tuple[TicketSystem, str] | None:
    pattern = compiled(gate.pattern)
    if gate.verification is None or pattern is None or not ticket or not fits(pattern, ticket):
        return None
    return gate.verification.provider, ticket
