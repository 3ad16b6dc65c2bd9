"""Following an undo: the Deployment carries its stable template again, and its native rolling update brings that to all pods."""

from __future__ import annotations

from feem.core.rollout import status as words
from feem.core.rollout.effects import Unpause
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot, Workload
from feem.core.rollout.status import next_status


def follow(s: ReleaseSnapshot, end: str) -> Plan | None:
    """Return what an undo waits for, or None when there is none, or it is over."""
    workload = s.workload
    if workload is None or workload.deleting or workload.undo is None:
        return None
    if workload.undo.release != s.release.metadata.name:
        return None
    if end == words.PROMOTED:
        return _write_down(s, workload.undo.reason)
    if workload.template_digest != s.release.spec.stable.template_digest or workload.settled:
        return None
    if workload.paused:
        text = f"Deployment {workload.name} was paused in the middle of its way back"
        effect = Unpause(s.namespace, workload.name, workload.template_digest, promoting=True)
        status = next_status(s.release, s.now, progressing=(True, "Undoing", text))
        return Plan("ResumeUndo", "Paused", text, status, (effect,), requeue=0)
    return None if workload.stuck and _given_up(s) else _wait(s, workload)


def _write_down(s: ReleaseSnapshot, reason: str) -> Plan:
    """The template was written, but not yet what it was for: the Deployment's mark knows."""
    message = s.announced[1] if s.announced is not None else f"the promoted version was taken back: {reason}"
    progressing, succeeded = (True, "Undoing", message), (False, words.ROLLED_BACK, message)
    status = next_status(s.release, s.now, progressing=progressing, succeeded=succeeded)
    return Plan("Undo", reason, message, status, requeue=0, warning=True)


def _wait(s: ReleaseSnapshot, workload: Workload) -> Plan:
    if workload.stuck:
        text = (
            f"the way back of Deployment {workload.name} makes no progress ({workload.stuck}): mend what keeps its pods, or "
            "decide Abort to be able to change it"
        )
        return Plan("Wait", "UndoStuck", text, next_status(s.release, s.now, progressing=(False, "UndoStuck", text)))
    text = f"Deployment {workload.name} rolls back to its earlier version"
    return Plan("Wait", "Undoing", text, next_status(s.release, s.now, progressing=(True, "Undoing", text)))


def _given_up(s: ReleaseSnapshot) -> bool:
    return s.directives.abort or s.service_deleting or s.release.metadata.deletion_timestamp is not None
