"""What has to be practised: experiments passed, documents drilled, not too long ago.

A run that FEEM made counts to the second. A day counts as it is written, without a zone; so tomorrow, as UTC has it, may already be
today where it was written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feem.api.gate import DocumentGate, DrillGate, Proof
from feem.api.run import ChaosRun
from feem.api.service import Document
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.drills import newest_passed
from feem.core.gates.moments import day, midnight
from feem.core.gates.words import counted


def ask_drill(gate: DrillGate, case: Case) -> Answer:
    """Hold while an experiment was not passed, or too long ago. What the team declares counts where the profile says so."""
    what, found = f"experiment {gate.experiment}", newest_passed(gate.experiment, case)
    tried = _tried(gate, case, what, *found) if found is not None else None
    if tried is not None and not tried.holds:
        return tried
    drills = case.compliance.drills if case.compliance is not None and gate.proof is Proof.DECLARED else []
    declared = next((drill for drill in drills if drill.name == gate.experiment), None)
    if declared is not None:
        return _recent("Drill", what, "passed", declared.passed_on, gate.within_days, case, _pass_it(gate, case))
    return tried or holds("DrillMissing", f"{what} was never passed; {_pass_it(gate, case)}", what)


def _tried(gate: DrillGate, case: Case, what: str, run: ChaosRun, ended: datetime) -> Answer:
    """Whether the newest run that was passed is recent, to the second."""
    by = f"{what} was passed by ChaosRun {run.metadata.name} on {ended:%Y-%m-%d %H:%M} UTC"
    limit, over = counted(gate.within_days, "day"), ended + timedelta(days=gate.within_days)
    if case.now >= over:
        short = f"{what} passed {ended:%Y-%m-%d}"
        return holds("DrillTooOld", f"{by}, more than {limit} ago; {_pass_it(gate, case)}", short)
    return passes("DrillRecent", f"{by}, not more than {limit} ago", over)


def _pass_it(gate: DrillGate, case: Case) -> str:
    """What to do for an experiment to count."""
    release = case.release
    run = f"kubectl feem chaos run {gate.experiment} -n {release.metadata.namespace}"
    if gate.proof is Proof.RUN:
        return f"have it run, and passed: {run}"
    return (
        f"have it run, and passed: {run}; or pass it yourselves, write its day to drills of ManagedService {release.spec.service}, "
        f"{case.again}"
    )


def ask_runbook(gate: DocumentGate, case: Case) -> Answer:
    """Hold while the service has no runbook, or nobody practised it lately."""
    document = case.compliance.runbook if case.compliance is not None else None
    return _document("Runbook", "runbook", document, gate, case)


def ask_rollback_plan(gate: DocumentGate, case: Case) -> Answer:
    """Hold while the service has no rollback plan, or nobody practised it lately."""
    document = case.compliance.rollback_plan if case.compliance is not None else None
    return _document("RollbackPlan", "rollbackPlan", document, gate, case)


def _document(word: str, field: str, document: Document | None, gate: DocumentGate, case: Case) -> Answer:
    what = "the runbook" if field == "runbook" else "the rollback plan"
    service = case.release.spec.service
    if document is None:
        message = f"{what} is missing; write where it is to {field} of ManagedService {service}, {case.again}"
        return holds(f"{word}Missing", message, what.removeprefix("the "))
    if not gate.drilled_within_days:
        return passes(f"{word}There", f"{what} is at {document.url}")
    step = f"practise it, write the day to {field}.drilledOn of ManagedService {service}, {case.again}"
    if document.drilled_on is None:
        return holds(f"{word}NotDrilled", f"{what} was never practised; {step}", f"{what.removeprefix('the ')} drill")
    return _recent(word, what, "practised", document.drilled_on, gate.drilled_within_days, case, step)


def _recent(word: str, what: str, done: str, written: str, within: int, case: Case, step: str) -> Answer:
    """Whether a day is one, not in the future, and not more than so many days ago."""
    short = f"{what.removeprefix('the ')} {done} {written}"
    on = day(written)
    if on is None or on > case.now.date() + timedelta(days=1):
        message = f"{what} is said to have been {done} on {written}, which is no day of the past; {step}"
        return holds(f"{word}DayWrong", message, short)
    limit = counted(within, "day")
    over = midnight(on) + timedelta(days=within + 1)
    if case.now >= over:
        return holds(f"{word}TooOld", f"{what} was {done} on {written}, more than {limit} ago; {step}", short)
    return passes(f"{word}Recent", f"{what} was {done} on {written}, not more than {limit} ago", over)
