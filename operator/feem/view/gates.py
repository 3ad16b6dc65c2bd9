"""Gates, profile and sign-off of the release tree, as rows on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from feem.api.release import GateOutcome
from feem.view.compliance import ComplianceView, DutyView, GateView, day, short
from feem.view.release import duration

_GATE = {
    GateOutcome.PASSED: ("✔", "green"),
    GateOutcome.HOLDING: ("◐", "yellow"),
    GateOutcome.SKIPPED: ("↷", "magenta"),
}


def gate_rows(compliance: ComplianceView) -> list[list[Text]]:
    """Return one row a gate: sign and name, stage, what it says."""
    return [_row(gate) for gate in compliance.gates]


def head_rows(compliance: ComplianceView, now: datetime, *, ended: bool) -> Iterator[tuple[str, Text]]:
    """Yield what the head says of it: author, profile and mode, what an approval names, what is owed."""
    if compliance.author:
        yield "author", Text(f"{compliance.author} (as the change itself says)")
    if compliance.profile or compliance.observed:
        mode = "Observe: nothing is held" if compliance.observed else "Enforce"
        yield "profile", Text(f"{compliance.profile or 'none'}, mode {mode}")
    if compliance.binding and compliance.profile and not ended:
        yield "digest", Text(f"{short(compliance.binding)} (what an approval names)")
    if compliance.duty is not None:
        yield "sign-off", _duty(compliance.duty, now)
    if compliance.retain_until is not None:
        yield "kept", Text(f"until {day(compliance.retain_until)}")


def _row(gate: GateView) -> list[Text]:
    sign, style = _GATE[gate.outcome]
    said = "dim" if gate.outcome is GateOutcome.PASSED else ""
    return [
        Text(f"{sign} {gate.name}", style=style),
        Text(str(gate.stage), style="dim"),
        Text(gate.message, style=said),
    ]


def _duty(duty: DutyView, now: datetime) -> Text:
    what = f"{duty.role}, for the emergency {duty.emergency}," if duty.emergency else duty.role
    if duty.signed:
        return Text(f"done{f': {duty.said}' if duty.said else f' by {duty.role}'}", style="green")
    if duty.overdue:
        late = duration((now - duty.due).total_seconds())
        return Text(f"{what} since {day(duty.due)}: overdue by {late}", style="red")
    left = duration((duty.due - now).total_seconds())
    return Text(f"{what} until {day(duty.due)}, in {left}", style="yellow")
