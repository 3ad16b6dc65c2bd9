"""What became of a Decision: applied, or why it could not be."""

from __future__ import annotations

from feem.api.decision import Decision, Verb
from feem.api.release import Release
from feem.core.conditions import find
from feem.core.rollout.status import PROGRESSING, PROMOTED, ending_of, holds, status_of

Reply = tuple[bool, str, str]


def reply_to(decision: Decision, release: Release | None, newest: Release | None) -> Reply:
    """Return whether the decision counts, with reason and message. `newest` is the service's newest release."""
    name, verb = decision.spec.release, decision.spec.verb
    if release is None:
        return False, "ReleaseNotFound", f"there is no Release {name} in this namespace: kubectl get rel"
    end = ending_of(release)
    if verb is Verb.RETRY:
        return _reply_to_retry(release, newest, end[0] if end else "")
    if end is not None:
        return False, "ReleaseEnded", f"Release {name} had already ended ({end[0]})"
    state = find(status_of(release).conditions, PROGRESSING)
    if state is not None and state.reason == "RollingUpdate":
        text = (
            f"Release {name} is being promoted, which ends by itself; to go back, apply the earlier template afterwards"
        )
        return False, "Promoting", text
    return True, "Applied", f"{verb} counts for Release {name}"


def _reply_to_retry(release: Release, newest: Release | None, end: str) -> Reply:
    name = release.metadata.name
    if newest is not None and newest.spec.attempt > release.spec.attempt:
        same = newest.spec.template_digest == release.spec.template_digest
        if same:
            return True, "Applied", f"Release {newest.metadata.name} tries the change again"
    if not end:
        return False, "StillRunning", f"Release {name} is still under way; Abort it first"
    if end == PROMOTED or not holds(release):
        text = (
            f"Deployment {release.spec.deployment} no longer holds the change of Release {name}: apply the change again"
        )
        return False, "NothingToRetry", text
    return True, "Applied", f"the change of Release {name} is tried again"
