"""decide(snapshot) -> Plan: the whole life of a release, one transition at a time.

Level-triggered: the plan depends only on what is there now, so running it again after a crash asks for whatever is missing
and for nothing else. The order of the questions is the order of importance: is the release over, must it go back, has the
promotion begun, and only then, may it go on.
"""

from __future__ import annotations

from feem.api.release import Outcome
from feem.api.service import Mode
from feem.core.rollout import ending, experiments, forward, promotion
from feem.core.rollout import status as words
from feem.core.rollout.gating import with_gates
from feem.core.rollout.observing import observed
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import status_of


def decide(s: ReleaseSnapshot) -> Plan:
    """Return the next transition of an open release, with what every gate says now on its status."""
    return with_gates(s, _next(s))


def _next(s: ReleaseSnapshot) -> Plan:
    release = s.release
    if release.spec.mode is Mode.OBSERVE:
        return observed(s)
    decided = words.ending_of(release)
    if decided is not None:
        return ending.finish(s, *decided)
    if s.traffic is not None and s.traffic.mark is not None and s.traffic.mark.release == release.metadata.name:
        mark = s.traffic.mark
        if mark.ending:
            return ending.go_back(s, mark.ending, mark.reason, f"traffic is back on stable: {mark.reason}")
    if s.announced is not None:
        return ending.go_back(s, words.ending_for(s.announced[0]), *s.announced)
    if promotion.under_way(s):
        given_up = promotion.given_up(s)
        if given_up is not None:
            return ending.go_back(s, words.ending_for(given_up[0]), *given_up)
        return promotion.watch(s)
    must_end = reason_to_end(s)
    if must_end is not None:
        reason, message = must_end
        return ending.go_back(s, words.ending_for(reason), reason, message, evidence=s.outcome is Outcome.FAIL)
    return forward.go_on(s)


def reason_to_end(s: ReleaseSnapshot) -> tuple[str, str] | None:
    """Return reason and message when the release must not go on, or None: what people want comes before what the canary does."""
    return _unwanted(s) or _unfit(s)


def _unwanted(s: ReleaseSnapshot) -> tuple[str, str] | None:
    """Nobody asks for this change any more."""
    spec, workload = s.release.spec, s.workload
    if s.service_deleting:
        return "ServiceDeleted", f"ManagedService {spec.service} was deleted; stable keeps all traffic"
    if s.release.metadata.deletion_timestamp is not None:
        return "ReleaseDeleted", f"Release {s.release.metadata.name} was deleted; stable keeps all traffic"
    if workload is None or workload.deleting:
        return "DeploymentDeleted", f"Deployment {spec.deployment} was deleted"
    if workload.template_digest == spec.stable.template_digest:
        return "Reverted", f"Deployment {spec.deployment} has its stable template again"
    if workload.template_digest != spec.template_digest:
        return "NewerChange", f"Deployment {spec.deployment} carries a newer change"
    return ("AbortDecision", "a person decided to abort") if s.directives.abort else None


def _unfit(s: ReleaseSnapshot) -> tuple[str, str] | None:
    """The canary does worse, or does nothing."""
    if s.outcome is Outcome.FAIL:
        worst = next(verdict for verdict in s.verdicts if verdict.outcome is Outcome.FAIL)
        step = status_of(s.release).progress
        return worst.reason, f"objective {worst.name} failed in step {step}{_meaning(s, worst.name)}: {worst.message}"
    gap = experiments.failed(s)
    if gap is not None:
        return gap
    if s.canary is not None and s.canary.stuck:
        return "CanaryNotReady", f"canary pods did not become Ready in time: {s.canary.stuck}"
    if promotion.canary_is_lost(s):
        return "CanaryLost", "the canary gets traffic but no pod of it is Ready, or its Service is gone"
    return None


def _meaning(s: ReleaseSnapshot, objective: str) -> str:
    """Say what an objective protects, in its author's words: ` ("A decision takes at most 0.2 s")`."""
    said = next((item.description for item in s.release.spec.objectives if item.name == objective), "")
    return f' ("{said.strip().rstrip(".")}")' if said.strip() else ""
