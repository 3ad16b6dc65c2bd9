"""Why a release is where it is, what comes next, and what a person can do about it, in words."""

from __future__ import annotations

from feem.api.release import Outcome
from feem.view import held
from feem.view.release import duration
from feem.view.situation import Situation


def why(at: Situation) -> str:
    """Say why it is there: the operator's own message, or what the objectives say."""
    if at.ending:
        return at.ending
    if at.said and at.state not in _TOLD:
        return at.said
    return "FEEM has not written a status yet." if not at.status.conditions else ""


def next_step(at: Situation) -> str:
    """Say what happens next without anybody doing anything, or what a person has to do."""
    if at.result:
        return _NEXT[at.state] if at.state in _WATCHED and not at.over else _after(at)
    if at.state == "Waiting":
        return held.next_step(at)
    if at.state == "Inconclusive":
        return f"It goes on by itself as soon as every objective passes; {_waiting_for(at)}."
    if at.state in _NEXT:
        return _NEXT[at.state]
    following = at.following
    if following is None:
        return (
            f"Promotion{_when(at)}: the canary takes all requests while Deployment {at.release.spec.deployment} rolls."
        )
    return f"Step {following.number} of {len(at.steps)} at {following.weight}%{_when(at)}{_pods(at)}."


def act(at: Situation) -> tuple[tuple[str, str], ...]:
    """List the command lines that make sense now, each with what it does."""
    name, namespace = at.release.metadata.name, at.release.metadata.namespace

    def command(verb: str, what: str) -> tuple[str, str]:
        return f'feem {verb} {name} -n {namespace} --reason "…"', what

    if at.result in {"RolledBack", "Aborted"} and at.newest:
        retry = command("retry", "try the same change again")
        undo = f"kubectl apply -f MANIFEST-OF-THE-VERSION-BEFORE -n {namespace}"
        return (*held.pay(at), retry, (undo, "take the change back; any other template requests another release"))
    watch = (f"feem watch {name} -n {namespace}", "follow it until it ends")
    if at.result:
        ending = command("abort", "end it here; the version that runs now stays")
        return (*held.pay(at), *((watch, ending) if at.state in _WATCHED and not at.over else ()))
    abort = command("abort", "send all requests to the stable version and end it")
    if at.state == "Paused":
        return (command("resume", "go on from here"), abort, watch)
    if at.state in _PAST_DECISIONS:
        return (watch,)
    if at.state == "Waiting" and at.compliance.blocking:
        return (*held.act(at), abort, watch)
    promote = command("promote", "skip the bakes that are left")
    return (command("pause", "keep the present weight"), promote, abort, watch)


def _when(at: Situation) -> str:
    current = at.current
    if current is None or current.bake_left is None:
        return ""
    if current.bake_left:
        return f" in {duration(current.bake_left)}, if every objective passes"
    return " as soon as every objective passes"


def _pods(at: Situation) -> str:
    return ", when its canary pods are Ready" if at.state == "StartingCanary" else ""


def _waiting_for(at: Situation) -> str:
    missing = [item.name for item in at.objectives if item.outcome is not Outcome.PASS]
    if not missing:
        return "the canary's pods or the bake are not ready yet"
    return f"it waits for {' and '.join(missing)}"


def _after(at: Situation) -> str:
    if not at.over:
        return "The release ends when traffic is back and the canary is removed."
    owed = held.owed(at)
    if owed:
        return owed
    if at.result == "Observed":
        return "Nothing: nothing is held while the service's mode is Observe."
    if at.result in {"RolledBack", "Aborted"}:
        if not at.newest:
            return "Nothing: a newer release took over."
        return "Nothing by itself: change the template to request another release, retry this one, or take it back."
    return "Nothing: it is over."


_TOLD = {"Requested", "Held", "Baking", "RollingUpdate"}
"""States whose own message says no more than `doing` does."""

_PAST_DECISIONS = {
    "RollingUpdate",
    "RollingUpdateStuck",
    "PromotionInterrupted",
    "Bypassed",
    "CleaningUp",
    "RollingBack",
}
"""States in which decisions come too late: the Deployment is already rolling, or the release already ends."""

_WATCHED = {"Watching", "CannotUndo", "Undoing", "UndoStuck"}
"""States after a promotion that is not over yet."""

_NEXT = {
    "HeldTooLong": "It goes on by itself as soon as every objective passes; else nothing until somebody promotes or aborts it.",
    "SharedDegradation": "It goes on by itself when the service does well again; look at what both versions depend on.",
    "Watching": "When the time is over the release is complete; if the error budget burns fast, the change is taken back.",
    "CannotUndo": "Nothing until somebody applies the earlier version, or aborts the release to end the watch.",
    "Undoing": "When every pod runs the earlier version, the release is complete.",
    "UndoStuck": "It goes on by itself when the pods become Ready: kubectl describe tells what they lack.",
    "Experimenting": "When the run has passed, the next step; when it failed, all requests go back to the stable version.",
    "ExperimentInconclusive": "The message says whether it is tried again by itself; else nothing until somebody promotes or aborts it.",
    "ExperimentMissing": "It goes on when the experiment is there; else nothing until somebody promotes or aborts it.",
    "WaitingForChaos": "It goes on by itself once the fault is taken back, usually within seconds.",
    "Paused": "Nothing until somebody resumes or aborts it.",
    "RollingUpdate": "When every pod runs the new version, traffic returns to the Service and the canary is removed.",
    "RollingUpdateStuck": "It goes on by itself when the new pods become Ready: kubectl describe tells what they lack.",
    "PromotionInterrupted": "It goes on when the Deployment has this release's template again.",
    "Bypassed": "The release ends when that rolling update is complete.",
    "CleaningUp": "The release ends when the canary is gone.",
}
