"""What a release does now, in words."""

from __future__ import annotations

from collections.abc import Callable

from feem.view import held
from feem.view.release import ahead, duration
from feem.view.situation import Situation


def doing(at: Situation) -> str:
    """Say what the release does now."""
    if at.result and not at.over:
        after = _AFTER_PROMOTION.get(at.state)
        if after is not None:
            return after.format(**_names(at))
        return _cleaning(at) if at.result == "Promoted" else _leaving(at)
    if at.result:
        return _ENDED.get(at.result, f"The release ended: {at.result}.").format(**_names(at))
    say = _DOING.get(at.state)
    return say(at) if say is not None else f"The release is in state {at.state}."


def _names(at: Situation) -> dict[str, str]:
    spec = at.release.spec
    return {"service": spec.service, "deployment": spec.deployment}


def _at_step(at: Situation) -> str:
    number = max(at.status.step, 1)
    return f"step {number} of {len(at.steps)}" if number <= len(at.steps) else "promotion"


def _held(at: Situation) -> str:
    return (
        f"The change is held: Deployment {at.release.spec.deployment} keeps its pods, and the stable version "
        "answers every request."
    )


def _starting(at: Situation) -> str:
    canary = at.track("canary")
    pods = f"{canary.ready} of {canary.desired} pods are Ready" if canary else "its pods are being created"
    step = at.current or at.following
    where = f"step {step.number} at {step.weight}%" if step is not None else "the promotion"
    return f"The canary gets its pods for {where}: {pods}."


def _baking(at: Situation) -> str:
    current = at.current
    if current is None:
        return "The canary bakes."
    left = (
        "" if current.bake_left is None else f", {duration(current.bake_left)} of {duration(current.bake_seconds)} left"
    )
    total = ahead(at.steps)
    rest = f"; {duration(total)} of bakes ahead in all" if at.following is not None and total else ""
    return f"{_at_step(at).capitalize()} bakes at {current.weight}%{left}{rest}."


def _holding(at: Situation) -> str:
    return f"{_at_step(at).capitalize()} holds at {at.status.weight}%: the evidence is not enough to go on, nor to go back."


def _too_long(at: Situation) -> str:
    limit = duration(at.release.spec.plan.inconclusive.max_hold_seconds)
    return f"{_at_step(at).capitalize()} has held at {at.status.weight}% for more than {limit}: people have to decide."


def _shared(at: Situation) -> str:
    return (
        f"{_at_step(at).capitalize()} holds at {at.status.weight}%: both versions are outside an objective, so the canary is "
        f"not to blame."
    )


def _experimenting(at: Situation) -> str:
    return f"{_at_step(at).capitalize()} holds at {at.status.weight}%: its experiment is tried on the canary."


def _unproven(at: Situation) -> str:
    return f"{_at_step(at).capitalize()} holds at {at.status.weight}%: its experiment has not shown that the canary survives."


def _broken(at: Situation) -> str:
    return f"The release waits at {at.status.weight}%: an experiment has a fault on the service, which is being taken back."


def _paused(at: Situation) -> str:
    pause = next((item for item in reversed(at.decisions) if item.verb == "Pause"), None)
    by = f" by {pause.by}: {pause.reason}" if pause else ""
    return f"Paused at {at.status.weight}%{by}."


def _rolling(at: Situation) -> str:
    new = at.track("new")
    pods = f": {new.ready} of {new.desired} pods are Ready" if new else ""
    return f"Deployment {at.release.spec.deployment} rolls to the new version{pods}."


def _stuck(at: Situation) -> str:
    return f"{_rolling(at)} It makes no progress; the canary answers every request meanwhile."


def _interrupted(_at: Situation) -> str:
    return "The rolling update was interrupted by another template; the canary answers every request meanwhile."


def _bypassed(at: Situation) -> str:
    return f"Deployment {at.release.spec.deployment} rolls out around FEEM."


def _cleaning(_at: Situation) -> str:
    return "Traffic is back on the Service; the canary is being removed."


def _leaving(at: Situation) -> str:
    return f"The release ends ({at.result}): the stable version takes all requests back, then the canary is removed."


_DOING: dict[str, Callable[[Situation], str]] = {
    "Requested": _held,
    "Held": _held,
    "StartingCanary": _starting,
    "Baking": _baking,
    "Inconclusive": _holding,
    "HeldTooLong": _too_long,
    "SharedDegradation": _shared,
    "Experimenting": _experimenting,
    "ExperimentInconclusive": _unproven,
    "ExperimentMissing": _unproven,
    "WaitingForChaos": _broken,
    "Paused": _paused,
    "Waiting": held.doing,
    "RollingUpdate": _rolling,
    "RollingUpdateStuck": _stuck,
    "PromotionInterrupted": _interrupted,
    "Bypassed": _bypassed,
    "CleaningUp": _cleaning,
    "RollingBack": _leaving,
}

_AFTER_PROMOTION = {
    "Watching": "The new version of {service} answers every request, and is watched for a while.",
    "CannotUndo": "The new version of {service} burns its error budget fast, and FEEM cannot take it back.",
    "Undoing": "Taken back: Deployment {deployment} rolls to its earlier version.",
    "UndoStuck": "Taken back: Deployment {deployment} rolls to its earlier version, and makes no progress.",
}
"""What it does when it was promoted and is not over yet."""

_ENDED = {
    "Promoted": "The new version of {service} answers every request; Deployment {deployment} is its owner's again.",
    "RolledBack": "Rolled back: the stable version of {service} answers every request; the change stays held.",
    "Aborted": "Aborted by a person: the stable version of {service} answers every request; the change stays held.",
    "Superseded": "A newer change of Deployment {deployment} took this one's place.",
    "Cancelled": "The change was taken back before it was released; the stable version answers every request.",
    "Observed": "Mode is Observe: the change of Deployment {deployment} goes live by itself; FEEM writes down what it thinks of it.",
    "Bypassed": "Deployment {deployment} was rolled out around FEEM; this release has nothing left to do.",
}
