"""Gates that are always there where a service has a profile: the rules, and what is known of people, are what they seem."""

from __future__ import annotations

from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.snapshot import profile_digest

MOST_SKEW = 30.0
"""By how many seconds this process' clock may differ from the API server's: decisions and windows are compared with it."""


def ask_profile(case: Case) -> Answer:
    """Hold when the rules are not those that the change was requested under."""
    frozen, named, live = case.compliance, case.facts.service.spec.compliance_profile, case.facts.profile
    service = case.release.spec.service
    if frozen is None:
        message = f"the change was requested before ManagedService {service} was put under {named}; {case.again}"
        return holds("ProfileChanged", message, "profile changed")
    if named != frozen.profile:
        message = (
            f"the change was requested under {frozen.profile}, ManagedService {service} names {named or 'no profile'} now: "
            f"name {frozen.profile} again, or {case.again}"
        )
        return holds("ProfileReplaced", message, "profile replaced")
    if live is None:
        message = f"ComplianceProfile {frozen.profile} is not there (any more): put it back"
        return holds("ProfileMissing", message, f"profile {frozen.profile} missing")
    if profile_digest(live) != frozen.profile_digest:
        message = f"ComplianceProfile {frozen.profile} was edited since the change was requested: put it back, or {case.again}"
        return holds("ProfileChanged", message, "profile changed")
    return passes("ProfileUnchanged", f"ComplianceProfile {frozen.profile} is as it was when the change was requested")


def ask_guard(case: Case) -> Answer:
    """Hold while FEEM's policies are not all in force: nobody knows then who writes decisions."""
    weakened = case.facts.guard.weakened
    if not weakened:
        return passes("PoliciesInForce", "FEEM's admission policies are in force")
    message = (
        f"FEEM's admission policies are not all in force: {'; '.join(weakened)}; install them again as the chart ships them "
        "(helm upgrade), then have decisions made anew"
    )
    return holds("PolicyWeakened", message, "policies weakened")


def ask_clock(case: Case) -> Answer:
    """Hold while the operator's clock cannot be believed."""
    skew = case.facts.skew
    if skew is None or abs(skew) <= MOST_SKEW:
        return passes("ClockAgrees", "the operator's clock agrees with the API server's, as far as is known")
    side = "ahead of" if skew > 0 else "behind"
    message = (
        f"the operator's clock is {abs(skew):.0f} s {side} the API server's, more than {MOST_SKEW:.0f} s: correct the clock of its "
        "node (or of the API server's)"
    )
    return holds("ClockSkewed", message, "clock skewed")


def ask_author(case: Case) -> Answer:
    """Hold a pipeline's change of which nobody knows who wrote it."""
    spec, profile = case.release.spec, case.facts.profile
    if profile is None or spec.requested_by not in profile.spec.pipelines:
        return passes("AuthorNotNeeded", "no account that works for other people asked for the change")
    if spec.author:
        return passes("AuthorNamed", f"{spec.requested_by} asked for it, {spec.author} wrote it")
    message = (
        f"{spec.requested_by} asks for changes of other people: name the author in annotation {profile.spec.author_annotation} of "
        f"Deployment {spec.deployment}, {case.again}"
    )
    return holds("AuthorMissing", message, "author")
