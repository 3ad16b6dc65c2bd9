"""What earlier releases of the service still owe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from feem.api.release import Release, SignOffDuty
from feem.core.conditions import is_true
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.moments import earliest, utc
from feem.core.windows.words import moment


@dataclass(frozen=True)
class Debt:
    """What a release owes: an emergency's review holds the next release at once, another sign-off from its due time on."""

    release: Release
    duty: SignOffDuty
    holds: bool


def owed(siblings: Iterable[Release], now: datetime) -> tuple[Debt, ...]:
    """Return what releases owe, emergencies first, then by due time."""
    debts = []
    for release in siblings:
        status = release.status
        if status is None or status.sign_off is None or is_true(status.conditions, "SignedOff"):
            continue
        duty = status.sign_off
        debts.append(Debt(release, duty, bool(duty.emergency) or now >= utc(duty.due)))
    return tuple(
        sorted(debts, key=lambda debt: (not debt.duty.emergency, utc(debt.duty.due), debt.release.metadata.name))
    )


def ask(case: Case) -> Answer:
    """Hold while an emergency is not reviewed, or a sign-off is overdue."""
    debts = owed((item for item in case.facts.siblings if item.metadata.uid != case.release.metadata.uid), case.now)
    holding = [debt for debt in debts if debt.holds]
    until = earliest(debt.duty.due for debt in debts if not debt.holds)
    if not holding:
        return passes("NothingOwed", "no earlier release owes anything that is due", until)
    steps = "; ".join(_words(debt, case.now) for debt in holding)
    if holding[0].duty.emergency:
        return holds("ReviewOwed", steps, f"review of {holding[0].release.metadata.name} owed", until)
    return holds("SignOffOverdue", steps, f"sign-off of {holding[0].release.metadata.name} overdue", until)


def _words(debt: Debt, now: datetime) -> str:
    meta, duty = debt.release.metadata, debt.duty
    step = sign_off(debt.release, duty)
    if duty.emergency:
        return f"Release {meta.name} broke the glass ({duty.emergency}) and was not reviewed: {step}"
    return f"the sign-off of Release {meta.name} was due {moment(utc(duty.due), now, 'UTC')}: {step}"


def sign_off(release: Release, duty: SignOffDuty) -> str:
    """Say who has to sign a release off, and how."""
    meta = release.metadata
    barred = f", but not {' or '.join(duty.not_by)}," if duty.not_by else ""
    command = f'kubectl feem sign-off {meta.name} -n {meta.namespace} --role {duty.role} --reason "…"'
    return f"whoever has verb signoff on approvalroles/{duty.role}{barred} runs {command}"
