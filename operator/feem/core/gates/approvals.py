"""People have to approve: who is missing, whom to ask, and why what is there does not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from feem.api.decision import Decision
from feem.api.gate import ApprovalsGate
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.ballot import Ballot, Place, Vote, places_of, reliance
from feem.core.gates.case import Case
from feem.core.gates.moments import earliest
from feem.core.gates.words import listed

WHY_NOT = {
    "OwnApproval": "asked for the change, or wrote it",
    "ApprovedBeforeRequest": "approved before the change was requested",
    "DecidedUnguarded": "approved while FEEM's policies were not in force, so that nobody knows who wrote it",
    "ApprovedSomethingElse": "approved something else: the change, its plan, its objectives, its annotations or its profile "
    "were edited since",
    "ApprovalExpired": "approved too long ago",
    "RoleLost": "does not hold the role any more",
    "RejectedLater": "has rejected the release since",
    "CountsInAnotherRole": "already counts in another role",
}
"""Why an approval does not count: what its author did."""


def ask(gate: ApprovalsGate, case: Case, ballot: Ballot) -> Answer:
    """Hold until every role has as many people as it needs, nobody has rejected, and the requester is known."""
    roles = {quorum.role for quorum in gate.roles}
    rejections = [decision for (role, _), decision in ballot.rejections.items() if role in roles]
    if rejections:
        return _rejected(rejections, case)
    places = places_of(gate)
    missing = [place for place in places if place not in ballot.seats]
    votes = [ballot.seats[place] for place in places if place in ballot.seats]
    if missing:
        return _missing(len(places), missing, votes, case, ballot)
    if not case.release.spec.requested_by and gate.unknown_requester == "Refuse":
        return holds("RequesterUnknown", _UNKNOWN + case.again, "requester unknown", _until(votes))
    who = listed(f"{vote.decision.spec.by} ({vote.decision.spec.role})" for vote in votes)
    return passes("Approved", f"approved by {who}", _until(votes), tuple(reliance(vote) for vote in votes))


_UNKNOWN = (
    "everybody has approved, but nobody knows who asked for the change, so it may have been one of them: apply it again where the "
    "API server stamps the requester (MutatingAdmissionPolicy), or let the profile accept an unknown requester; "
)


def _rejected(rejections: Iterable[Decision], case: Case) -> Answer:
    by = [(item.spec.by, item.spec.role or "") for item in rejections]
    reasons = "; ".join(f"{item.spec.by} ({item.spec.role}): {item.spec.reason}" for item in rejections)
    ways = " or ".join(dict.fromkeys(f"{person} runs {_approve(case, role)}" for person, role in by))
    abort = f'kubectl feem abort {case.where} --reason "…"'
    message = f"rejected by {reasons}; it stays so until {ways}; to give the change up: {abort}"
    return holds("Rejected", message, f"rejected by {listed(f'{person} ({role})' for person, role in by)}")


def _missing(needed: int, missing: list[Place], votes: list[Vote], case: Case, ballot: Ballot) -> Answer:
    counts = Counter(role for role, _ in missing)
    roles = ", ".join(role if count == 1 else f"{count} {role}" for role, count in counts.items())
    short = f"{len(votes)} of {needed} approvals ({roles})"
    there = f", by {listed(f'{vote.decision.spec.by} ({vote.decision.spec.role})' for vote in votes)}" if votes else ""
    steps = "; ".join(
        f"role {role}: whoever has verb approve on approvalroles/{role} runs {_approve(case, role)}" for role in counts
    )
    useless = list(_useless(set(counts), ballot))
    why = "".join(
        f"; {vote.decision.spec.by} ({vote.decision.spec.role}) does not count, {word}: {WHY_NOT[word]}"
        for word, vote in useless
    )
    reason = useless[0][0] if useless else "ApprovalsMissing"
    message = f"{len(votes)} of {needed} approvals{there}{why}; {steps}"
    return holds(reason, message, short, _until(votes))


def _useless(roles: set[str], ballot: Ballot) -> Iterator[tuple[str, Vote]]:
    """The approvals in roles that still miss somebody, with the word for why each does not count; the void ones first."""
    seated = {vote.decision.metadata.name for vote in ballot.seats.values()}
    for voter, vote in ballot.void.items():
        if voter[0] in roles and voter not in ballot.counting:
            yield vote.problem, vote
    for voter, vote in ballot.counting.items():
        if voter[0] in roles and vote.decision.metadata.name not in seated:
            yield "CountsInAnotherRole", vote


def _approve(case: Case, role: str) -> str:
    return f'kubectl feem approve {case.where} --role {role} --reason "…"'


def _until(votes: Iterable[Vote]) -> datetime | None:
    return earliest(vote.until for vote in votes)
