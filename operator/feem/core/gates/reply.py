"""What becomes of an approval, a rejection, a break-glass or a sign-off: turned down at once where it can never count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feem.api.base import ConditionStatus
from feem.api.decision import Decision, Verb
from feem.api.profile import BreakGlass, ComplianceProfile
from feem.api.release import Release
from feem.core.conditions import find, is_true
from feem.core.gates.ballot import NEVER
from feem.core.gates.break_glass import longest
from feem.core.gates.debt import owed
from feem.core.gates.moments import utc
from feem.core.gates.words import listed

Reply = tuple[bool, str, str]


def reply_to(
    decision: Decision,
    release: Release | None,
    binding: str,
    siblings: Sequence[Release] = (),
    profile: ComplianceProfile | None = None,
) -> Reply:
    """Return whether the decision counts, with reason and message.

    `binding` is what an approval has to name now; `profile` the live one of the release, None when it is not known: then only the
    gates can say whether a role is asked for. What may still come to count, or stop to, is left to the gates.
    """
    name, verb = decision.spec.release, decision.spec.verb
    if release is None:
        return False, "ReleaseNotFound", f"there is no Release {name} in this namespace: kubectl get rel"
    ended = _ended(release)
    if verb is Verb.SIGN_OFF:
        return _to_sign_off(decision, release, ended, siblings)
    if ended:
        return False, "ReleaseEnded", f"Release {name} had already ended ({ended})"
    if release.spec.compliance is None:
        return False, "NotForeseen", f"no gate of Release {name} asks for it: the service had no profile"
    if verb is Verb.BREAK_GLASS:
        return _to_break_glass(decision, release, binding, profile)
    return _to_vote(decision, release, binding, profile)


def _ended(release: Release) -> str:
    found = find(release.status.conditions, "Succeeded") if release.status is not None else None
    return found.reason if found is not None and found.status is not ConditionStatus.UNKNOWN else ""


def _to_vote(decision: Decision, release: Release, binding: str, profile: ComplianceProfile | None) -> Reply:
    spec, name = decision.spec, decision.spec.release
    roles = _roles(profile)
    if profile is not None and spec.role not in roles:
        asked = f"it asks for {listed(roles)}" if roles else "it asks for no approvals"
        return False, "RoleNotAsked", f"no gate of Release {name} asks for role {spec.role}: {asked}"
    if spec.verb is Verb.REJECT:
        return True, "Applied", f"Release {name} is held until {spec.by} approves it as {spec.role}, or it is aborted"
    if spec.by in (release.spec.requested_by, release.spec.author):
        text = f"{spec.by} asked for the change of Release {name}, or wrote it: somebody else has to approve it as {spec.role}"
        return False, "OwnApproval", text
    early = _before(decision, release)
    if early:
        return False, "ApprovedBeforeRequest", f"{early}: approve it again as it is now"
    if spec.digest != binding:
        return False, "ApprovedSomethingElse", _something_else(release, "approve it again")
    if _over(decision):
        return (
            False,
            "ApprovalExpired",
            f"the approval of Release {name} ended before it was made: name a later expiresAt",
        )
    return True, "Applied", f"the approval of {spec.by} ({spec.role}) counts for Release {name} as it is now"


def _roles(profile: ComplianceProfile | None) -> list[str]:
    gates = [gate.approvals for gate in profile.spec.gates if gate.approvals is not None] if profile is not None else []
    return list(dict.fromkeys(quorum.role for gate in gates for quorum in gate.roles))


def _to_break_glass(decision: Decision, release: Release, binding: str, profile: ComplianceProfile | None) -> Reply:
    spec, name = decision.spec, decision.spec.release
    rules = profile.spec.break_glass if profile is not None else None
    if profile is not None and (rules is None or not rules.skips):
        text = f"profile {profile.metadata.name} lets nothing be skipped in an emergency: Release {name} needs its gates open"
        return False, "NotForeseen", text
    early = _before(decision, release)
    if early:
        return False, "ApprovedBeforeRequest", f"{early}: break the glass again for it as it is now"
    if spec.digest != binding:
        return False, "ApprovedSomethingElse", _something_else(release, "break the glass again")
    if spec.expires_at is None or _over(decision):
        return False, "ExpiryMissing", f"BreakGlass of Release {name} has no end in the future: give expiresAt"
    if rules is not None and _too_long(decision, rules):
        minutes = longest(rules).total_seconds() / 60
        text = f"BreakGlass of Release {name} may count {minutes:g} minutes at most: name an earlier expiresAt"
        return False, "ExpiryTooFar", text
    skipped = f"skips {listed(rules.skips)}" if rules is not None else "skips what its profile lists"
    return (
        True,
        "Applied",
        f"Release {name} {skipped} until {utc(spec.expires_at):%Y-%m-%d %H:%M} UTC, and owes a review",
    )


def _to_sign_off(decision: Decision, release: Release, ended: str, siblings: Iterable[Release]) -> Reply:
    spec, name = decision.spec, decision.spec.release
    if not ended:
        return False, "StillRunning", f"Release {name} is still under way: sign it off when it has ended"
    status = release.status
    if status is None or status.sign_off is None:
        debts = [debt.release.metadata.name for debt in owed(siblings, NEVER)]
        others = f"; sign-offs are owed by {listed(debts)}" if debts else ""
        return False, "NothingOwed", f"Release {name} owes no sign-off{others}"
    duty = status.sign_off
    if is_true(status.conditions, "SignedOff"):
        return False, "NothingOwed", f"Release {name} was signed off already"
    if spec.role != duty.role:
        return False, "RoleNotAsked", f"Release {name} is signed off as {duty.role}, not as {spec.role}"
    if spec.by in {*duty.not_by, release.spec.requested_by, release.spec.author}:
        return (
            False,
            "OwnSignOff",
            f"{spec.by} took part in Release {name}: somebody else has to sign it off as {duty.role}",
        )
    return True, "Applied", f"{spec.by} ({spec.role}) signs Release {name} off"


def _before(decision: Decision, release: Release) -> str:
    """Say that a decision is older than the release of its name: it was about an earlier one. One not stored yet is made now."""
    made, requested = decision.metadata.creation_timestamp, release.metadata.creation_timestamp
    if made is None or requested is None or utc(made) >= utc(requested):
        return ""
    return f"Release {release.metadata.name} was requested after the decision was made"


def _over(decision: Decision) -> bool:
    made, end = decision.metadata.creation_timestamp, decision.spec.expires_at
    return made is not None and end is not None and utc(end) <= utc(made)


def _too_long(decision: Decision, rules: BreakGlass) -> bool:
    made, end = decision.metadata.creation_timestamp, decision.spec.expires_at
    return made is not None and end is not None and utc(end) - utc(made) > longest(rules)


def _something_else(release: Release, step: str) -> str:
    return (
        f"the digest is not that of Release {release.metadata.name} as it is now: the change, its annotations or its profile were "
        f"edited since; look at it (kubectl feem explain {release.metadata.name} -n {release.metadata.namespace}) and {step}"
    )
