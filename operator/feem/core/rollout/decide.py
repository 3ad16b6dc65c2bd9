"""decide(snapshot) -> Plan: the whole life of a release, one transition at a time.

Level-triggered: the plan depends only on what is there now, so running it again after a crash asks for whatever is missing
and for nothing else. The order of the questions is the order of importance: is the release over, must it go back, has the
promotion begun, and only then, may it go on.
"""

from __future__ import annotations

from feem.api.release import Outcome
from feem.core.rollout import ending, forward, promotion
from feem.core.rollout import status as words
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import status_of


def decide(s: ReleaseSnapshot) -> Plan:
    """Return the next transition of an open release."""
    release = s.release
    decided = words.ending_of(release)
    if decided is not None:
        return ending.finish(s, *decided)
    if s.traffic is not None and s.traffic.mark is not None and s.traffic.mark.release == release.metadata.name:
        mark = s.traffic.mark
        if mark.ending:
            return ending.go_back(s, mark.ending, mark.reason, f"traffic is back on stable: {mark.reason}")
    if promotion.under_way(s):
        return promotion.watch(s)
    must_end = reason_to_end(s)
    if must_end is not None:
        return ending.go_back(s, *must_end, evidence=must_end[0] == words.ROLLED_BACK)
    return forward.go_on(s)


def reason_to_end(s: ReleaseSnapshot) -> tuple[str, str, str] | None:
    """Return (ending, reason, message) when the release must not go on, or None. Any one of these suffices, in this order."""
    spec, workload = s.release.spec, s.workload
    if s.service_deleting:
        return words.CANCELLED, "ServiceDeleted", f"ManagedService {spec.service} was deleted; stable keeps all traffic"
    if workload is None or workload.deleting:
        return words.CANCELLED, "DeploymentDeleted", f"Deployment {spec.deployment} was deleted"
    if workload.template_digest == spec.stable.template_digest:
        return words.CANCELLED, "Reverted", f"Deployment {spec.deployment} has its stable template again"
    if workload.template_digest != spec.template_digest:
        return words.SUPERSEDED, "NewerChange", f"Deployment {spec.deployment} carries a newer change"
    if s.directives.abort:
        return words.ABORTED, "AbortDecision", "a person decided to abort"
    if s.outcome is Outcome.FAIL:
        worst = next(verdict for verdict in s.verdicts if verdict.outcome is Outcome.FAIL)
        return (
            words.ROLLED_BACK,
            worst.reason,
            f"objective {worst.name} failed in step {status_of(s.release).progress}: {worst.message}",
        )
    if s.canary is not None and s.canary.stuck:
        return words.ROLLED_BACK, "CanaryNotReady", f"canary pods did not become Ready in time: {s.canary.stuck}"
    return None
