"""What became of a Decision: applied, or why it could not be."""

from __future__ import annotations

from feem.api.decision import Decision, Verb
from feem.api.release import Release
from feem.core.rollout.status import PROMOTED, ending_of, holds, is_complete, state_of

Reply = tuple[bool, str, str]


_STOPPED_BY_ABORT = {
    "Watching": "the watch of Release {name} ends; its change stays live",
    "CannotUndo": "the watch of Release {name} ends; its change stays live",
    "UndoStuck": "the way back of Release {name} is given up; apply the version that shall run",
}
"""What Abort does to a release that was promoted."""


def reply_to(decision: Decision, release: Release | None, newest: Release | None) -> Reply:
    """Return whether the decision counts, with reason and message. `newest` is the service's newest release."""
    name, verb = decision.spec.release, decision.spec.verb
    if release is None:
        return False, "ReleaseNotFound", f"there is no Release {name} in this namespace: kubectl get rel"
    end = ending_of(release)
    if verb is Verb.RETRY:
        return _reply_to_retry(release, newest, end[0] if end else "")
    if verb is Verb.ABORT and not is_complete(release) and state_of(release) in _STOPPED_BY_ABORT:
        return True, "Applied", _STOPPED_BY_ABORT[state_of(release)].format(name=name)
    if end is not None:
        return False, "ReleaseEnded", f"Release {name} had already ended ({end[0]})"
    if state_of(release) == "RollingUpdate":
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
