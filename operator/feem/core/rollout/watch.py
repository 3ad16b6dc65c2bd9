"""After the promotion: the new version is watched, and goes back when it burns the error budget fast.

Nothing but a Fail acts here. Missing metrics change nothing, and whatever people do meanwhile ends the watch.
"""

from __future__ import annotations

from datetime import timedelta

from feem.api.release import Outcome, Release
from feem.core.rollout import status as words
from feem.core.rollout.effects import UndoTemplate
from feem.core.rollout.mark import UndoMark
from feem.core.rollout.plan import Plan
from feem.core.rollout.revisions import revision_with
from feem.core.rollout.snapshot import ReleaseSnapshot, Revision, Workload
from feem.core.rollout.status import is_complete, next_status, state_of, status_of

WATCHING, CANNOT_UNDO = "Watching", "CannotUndo"


def watched_set(release: Release, workload: Workload | None, revisions: tuple[Revision, ...]) -> str:
    """Name the ReplicaSet that is watched; empty when none is."""
    if workload is None or is_complete(release) or state_of(release) != WATCHING:
        return ""
    if workload.template_digest != release.spec.template_digest:
        return ""
    found = revision_with(revisions, workload.template_digest)
    return found.name if found is not None else ""


def go_on_watching(s: ReleaseSnapshot) -> Plan | None:
    """Return what a promoted release still waits for once all is cleaned up, or None when it is complete."""
    if ended_because(s):
        return None
    failed = next((item for item in s.verdicts if item.outcome is Outcome.FAIL), None) if s.watched else None
    if s.announced is not None:
        return _undo(s, *s.announced)
    if failed is not None:
        return _undo(s, failed.reason, f"objective {failed.name} failed after the promotion: {failed.message}")
    left = seconds_left(s)
    if state_of(s.release) == CANNOT_UNDO:
        status = status_of(s.release)
        return Plan("Wait", CANNOT_UNDO, "waiting for people", status, requeue=left)
    text = f"the change is live, and watched until {(s.now + timedelta(seconds=left)).strftime('%H:%M:%S')} UTC"
    status = next_status(s.release, s.now, progressing=(True, WATCHING, text))
    return Plan("Wait", WATCHING, text, status, requeue=min(s.interval, left))


def seconds_left(s: ReleaseSnapshot) -> float:
    """Return the seconds until the watch is over; none without a promotion."""
    promoted, seconds = status_of(s.release).promoted_at, s.release.spec.plan.watch_seconds
    return seconds - (s.now - promoted).total_seconds() if promoted is not None else 0.0


def ended_because(s: ReleaseSnapshot) -> str:
    """Say why the watch is over; empty while it goes on."""
    spec, workload = s.release.spec, s.workload
    if s.service_deleting:
        return f"ManagedService {spec.service} was deleted"
    if s.release.metadata.deletion_timestamp is not None:
        return f"Release {s.release.metadata.name} was deleted"
    if workload is None or workload.deleting:
        return f"Deployment {spec.deployment} was deleted"
    if workload.template_digest != spec.template_digest:
        return f"Deployment {spec.deployment} carries a newer change"
    if s.directives.abort:
        return "a person ended the watch"
    return "its time is over" if seconds_left(s) <= 0 else ""


def closing_words(s: ReleaseSnapshot, message: str) -> str:
    """Add to the message of a promotion how its watch went."""
    if s.release.spec.plan.watch_seconds == 0 or state_of(s.release) not in (WATCHING, CANNOT_UNDO):
        return message
    burned = " It burned the error budget fast and could not be undone." if state_of(s.release) == CANNOT_UNDO else ""
    return f"{message}; the watch ended: {ended_because(s)}.{burned}"


def _undo(s: ReleaseSnapshot, reason: str, message: str) -> Plan:
    """Give the Deployment its stable template again, or say why that is not possible any more."""
    spec, old = s.release.spec, status_of(s.release)
    verdicts = list(s.verdicts) or old.verdicts
    if not s.stable_kept:
        text = (
            f"{message}. The ReplicaSet of the earlier version is gone (spec.revisionHistoryLimit), so FEEM cannot undo the "
            f"change: apply the earlier version to Deployment {spec.deployment} and decide Promote on its release, or decide Abort "
            "to end the watch"
        )
        status = next_status(s.release, s.now, progressing=(False, CANNOT_UNDO, text), verdicts=verdicts)
        return Plan("Wait", CANNOT_UNDO, text, status, requeue=seconds_left(s), warning=True)
    mark = UndoMark(s.release.metadata.name, reason)
    effect = UndoTemplate(s.namespace, spec.deployment, spec.template_digest, spec.stable.template_digest, str(mark))
    status = next_status(
        s.release,
        s.now,
        progressing=(True, "Undoing", message),
        succeeded=(False, words.ROLLED_BACK, message),
        verdicts=verdicts,
    )
    return Plan("Undo", reason, message, status, (effect,), requeue=0, evidence=bool(s.verdicts), warning=True)
