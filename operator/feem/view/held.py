"""What gates and sign-offs mean for a release, in words: who has to do what so that it goes on."""

from __future__ import annotations

from feem.view.compliance import DutyView, GateView, day
from feem.view.release import duration
from feem.view.situation import Situation


def doing(at: Situation) -> str:
    """Say what a waiting release does: which gates hold it, and what its users meet meanwhile."""
    blocking = at.compliance.blocking
    if not blocking:
        return "The release waits: something it needs is not there."
    names = _listed([gate.name for gate in blocking])
    gates = f"gate {names}" if len(blocking) == 1 else f"{len(blocking)} gates: {names}"
    if not at.status.step:
        return f"The change is held by {gates}; the stable version answers every request."
    where = f"Step {at.status.step} of {len(at.steps)}" if at.status.step <= len(at.steps) else "The promotion"
    return f"{where} is kept at {at.status.weight}%: what comes next is held by {gates}."


def next_step(at: Situation) -> str:
    """Say what opens each gate that holds."""
    blocking = at.compliance.blocking
    if not blocking:
        return "It goes on by itself as soon as that is mended."
    return f"It goes on by itself as soon as every gate is open: {'; '.join(_opens(gate) for gate in blocking)}."


def act(at: Situation) -> tuple[tuple[str, str], ...]:
    """List the command lines that open gates, each with who can run it."""
    rows = [
        (command, f"if you hold role {role}" if verb == "approve" else f"as {role}: what Release {name} owes")
        for gate in at.compliance.blocking
        for command, verb, role, name in gate.acts
    ]
    return tuple(dict.fromkeys(rows))


def owed(at: Situation) -> str:
    """Say what is owed after the end, and what happens until it is done; empty where nothing is."""
    duty = at.compliance.duty
    if duty is None or duty.signed:
        return ""
    held = f"the next release of {at.release.spec.service} is held"
    what = "review the emergency" if duty.emergency else "sign it off"
    who = f"Somebody of role {duty.role}{_barred(duty)} has to {what}"
    if duty.overdue:
        return f"{who}; it was due {day(duty.due)}, and {held} until then."
    left = duration((duty.due - at.now).total_seconds())
    return f"{who} until {day(duty.due)}, in {left}; {held} {'until then' if duty.emergency else 'once it is overdue'}."


def pay(at: Situation) -> tuple[tuple[str, str], ...]:
    """Return the command line that settles what is owed."""
    duty, meta = at.compliance.duty, at.release.metadata
    if duty is None or duty.signed:
        return ()
    command = f'feem sign-off {meta.name} -n {meta.namespace} --role {duty.role} --reason "…"'
    return ((command, "confirm that the emergency was handled well" if duty.emergency else "confirm that all is well"),)


def _opens(gate: GateView) -> str:
    if gate.roles:
        return f"{gate.name} needs an approval of {_listed([f'role {role}' for role in gate.roles])}"
    return f"{gate.name}: {gate.message.rstrip('.')}"


def _barred(duty: DutyView) -> str:
    return f", but not {' or '.join(duty.not_by)}," if duty.not_by else ""


def _listed(items: list[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
