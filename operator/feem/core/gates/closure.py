"""After the end: what a release owes, who may pay it, whether that is done, and how long its record stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from feem.api.base import ConditionStatus
from feem.api.decision import Decision, Verb
from feem.api.gate import SignOffGate
from feem.api.profile import ComplianceProfile
from feem.api.release import SignOffDuty
from feem.core.conditions import find, is_true
from feem.core.gates.ballot import decisions_of, made, unguarded
from feem.core.gates.case import Case, case_of
from feem.core.gates.debt import Debt, owed, sign_off
from feem.core.gates.facts import GateFacts
from feem.core.gates.moments import earliest, utc
from feem.core.gates.result import Closure, Reliance
from feem.core.gates.words import cut, listed
from feem.core.windows.words import moment

__all__ = ["Debt", "close", "owed"]

MOST_BARRED = 20
"""Bound of the Release's status."""
REVIEW_ROLE, REVIEW_DAYS = "compliance", 5
"""Who reviews an emergency, and in how many days, when its profile is not there any more to say so."""


def close(facts: GateFacts) -> Closure:
    """Say what an ended release owes. A duty that stands on its status already is kept as it was written."""
    case = case_of(facts)
    ended = _ended(case)
    if ended is None:
        return Closure()
    status = case.release.status
    written = status.sign_off if status is not None else None
    duty = written or _duty(case, ended)
    retain = _retain_until(case, ended)
    if duty is None:
        return Closure(retain_until=retain)
    if status is not None and is_true(status.conditions, "SignedOff"):
        found = find(status.conditions, "SignedOff")
        return Closure(duty, True, "SignedOff", found.message if found is not None else "", retain_until=retain)
    paid = _payment(case, duty, ended)
    if paid is not None:
        spec = paid.spec
        rests_on = Reliance(paid.metadata.name, spec.by, tuple(spec.groups), "signoff", duty.role)
        text = f"{spec.by} ({duty.role}) signed it off: {spec.reason}"
        return Closure(duty, True, "SignedOff", text, (rests_on,), retain)
    reason, message = _unpaid(case, duty, ended)
    return Closure(duty, False, reason, message, (), retain)


def _ended(case: Case) -> datetime | None:
    """When the release ended, None while it is open; what was promoted ended when all pods ran the change."""
    status = case.release.status
    found = find(status.conditions, "Succeeded") if status is not None else None
    if status is None or found is None or found.status is ConditionStatus.UNKNOWN:
        return None
    promoted = status.promoted_at if found.reason == "Promoted" else None
    return utc(promoted or status.completed_at or found.last_transition_time)


def _duty(case: Case, ended: datetime) -> SignOffDuty | None:
    """What is owed: an emergency's review, which pays an ordinary sign-off as well, and is due when the first of them is."""
    ordinary, emergencies = _ordinary(case), list(_emergencies(case))
    status = case.release.status
    start = utc(status.completed_at) if status is not None and status.completed_at is not None else ended
    due = start + timedelta(days=ordinary.within_days) if ordinary is not None else None
    if emergencies:
        role, days = _review(case.facts.profile)
        return SignOffDuty(
            role=role,
            due=earliest((due, start + timedelta(days=days))) or start,
            emergency=emergencies[0].metadata.name,
            not_by=_barred(case, emergencies),
        )
    if ordinary is None or due is None:
        return None
    return SignOffDuty(role=ordinary.role, due=due, not_by=_barred(case, []))


def _ordinary(case: Case) -> SignOffGate | None:
    """The sign-off that the profile asks of each promoted release; of several the one that is due first."""
    status, profile = case.release.status, case.facts.profile
    found = find(status.conditions, "Succeeded") if status is not None else None
    if profile is None or case.compliance is None or found is None or found.reason != "Promoted":
        return None
    gates = [gate.sign_off for gate in profile.spec.gates if gate.sign_off is not None]
    return min(gates, key=lambda gate: gate.within_days, default=None)


def _emergencies(case: Case) -> Iterator[Decision]:
    """The BreakGlass decisions that traffic may have met the change by, oldest first.

    Whether each was in force at that moment cannot be said afterwards: the profile may have been edited since. So all of them count.
    """
    status = case.release.status
    if status is None or status.started_at is None or case.compliance is None:
        return
    last = utc(status.promoted_at or status.completed_at or case.now)
    for decision in sorted(decisions_of(case, Verb.BREAK_GLASS), key=lambda item: (made(item), item.metadata.name)):
        if case.requested_at <= made(decision) < last:
            yield decision


def _review(profile: ComplianceProfile | None) -> tuple[str, int]:
    rules = profile.spec.break_glass if profile is not None else None
    return (rules.sign_off_role, rules.sign_off_within_days) if rules is not None else (REVIEW_ROLE, REVIEW_DAYS)


def _barred(case: Case, emergencies: list[Decision]) -> list[str]:
    """Who may not sign off: those who took part, the requester first."""
    spec = case.release.spec
    people = (spec.requested_by, spec.author, *(decision.spec.by for decision in emergencies))
    return [person for person in dict.fromkeys(people) if person][:MOST_BARRED]


def _payment(case: Case, duty: SignOffDuty, ended: datetime) -> Decision | None:
    """The first sign-off that counts."""
    decisions = sorted(decisions_of(case, Verb.SIGN_OFF), key=lambda item: (made(item), item.metadata.name))
    return next((item for item in decisions if not _fault(case, duty, ended, item)), None)


def _fault(case: Case, duty: SignOffDuty, ended: datetime, decision: Decision) -> str:
    """Return why a sign-off does not count, in words that follow its author's name; empty when it does."""
    spec = decision.spec
    barred = {*duty.not_by, *case.takers}
    if duty.emergency:
        barred.update(item.spec.by for item in _emergencies(case))
    if spec.role != duty.role:
        return f"signed off as {spec.role}"
    if spec.by in barred:
        return "took part in the release"
    if made(decision) < ended:
        return "signed off before the release had ended"
    if unguarded(case, decision):
        return "signed off while FEEM's policies were not in force"
    if (spec.by, "signoff", duty.role) in case.facts.lost:
        return "does not hold the role any more"
    return ""


def _unpaid(case: Case, duty: SignOffDuty, ended: datetime) -> tuple[str, str]:
    decisions = decisions_of(case, Verb.SIGN_OFF)
    faults = [f"{item.spec.by} {_fault(case, duty, ended, item)}" for item in decisions]
    why = f"; {listed(dict.fromkeys(faults))}" if faults else ""
    step = cut(sign_off(case.release, duty), 2048)
    when = moment(utc(duty.due), case.now, "UTC")
    if duty.emergency:
        text = f"BreakGlass {duty.emergency} has to be reviewed until {when}, and holds the service's next release{why}: {step}"
        return "ReviewOwed", text
    if case.now >= utc(duty.due):
        return "SignOffOverdue", f"it was due {when}, and holds the service's next release{why}: {step}"
    return "SignOffDue", f"it is due {when}{why}: {step}"


def _retain_until(case: Case, ended: datetime) -> datetime | None:
    """Until when the record stays: what the profile says, and never less than was said before."""
    status, profile = case.release.status, case.facts.profile
    before = status.retain_until if status is not None else None
    gates = profile.spec.gates if profile is not None and case.compliance is not None else []
    days = max((gate.retention.days for gate in gates if gate.retention is not None), default=0)
    start = utc(status.completed_at) if status is not None and status.completed_at is not None else ended
    asked = start + timedelta(days=days) if days else None
    return max((utc(moment) for moment in (before, asked) if moment is not None), default=None)
