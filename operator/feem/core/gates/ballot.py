"""Whose approvals count for a release, in which role, and why others do not.

A person counts once, in one role, in the whole release. An approval of a role counts as long as the strictest gate that asks for
the role says, for all of them, so that one and the same seating serves every gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feem.api.decision import Decision, Verb
from feem.api.gate import ApprovalsGate
from feem.core.gates.case import Case
from feem.core.gates.matching import match
from feem.core.gates.moments import earliest, utc
from feem.core.gates.result import ORDER, Reliance

Place = tuple[str, int]
"""A role, and the how-manieth of it, from 1."""
Voter = tuple[str, str]
"""A role, and a person in it."""
NEVER = utc(datetime.min)  # noqa: DTZ901 - made UTC at once
"""When something was made of which nobody knows when: before all else."""


@dataclass(frozen=True)
class Vote:
    """One approval: until when it counts (UTC), or the word for why it does not."""

    decision: Decision
    until: datetime
    problem: str = ""


@dataclass(frozen=True)
class Ballot:
    """All votes, newest void one a voter; the standing rejections, newest one a voter; and who sits where."""

    counting: Mapping[Voter, Vote]
    void: Mapping[Voter, Vote]
    rejections: Mapping[Voter, Decision]
    seats: Mapping[Place, Vote]


def ballot_of(case: Case) -> Ballot:
    """Count the votes on a release."""
    valid = _validity(case)
    counting: dict[Voter, Vote] = {}
    void: dict[Voter, Vote] = {}
    for vote in _votes(case, valid):
        voter = _voter(vote.decision)
        if vote.problem:
            void[voter] = vote
        elif voter not in counting or counting[voter].until <= vote.until:
            counting[voter] = vote
    return Ballot(counting, void, _rejections(case, counting), _seats(case, counting))


def places_of(gate: ApprovalsGate) -> tuple[Place, ...]:
    """Return the places that a gate asks for."""
    asked = ((quorum.role, number) for quorum in gate.roles for number in range(1, quorum.count + 1))
    return tuple(dict.fromkeys(asked))


def reliance(vote: Vote) -> Reliance:
    """Return what has to be asked of the API server again before this approval is acted upon."""
    spec = vote.decision.spec
    return Reliance(vote.decision.metadata.name, spec.by, tuple(spec.groups), "approve", spec.role or "")


def _gates(case: Case) -> Iterator[ApprovalsGate]:
    """All approvals gates, in the order in which the release comes to them."""
    profile = case.facts.profile
    gates = profile.spec.gates if profile is not None else []
    for gate in sorted(gates, key=lambda gate: ORDER.index(gate.stage)):
        if gate.approvals is not None:
            yield gate.approvals


def _validity(case: Case) -> dict[str, int]:
    """For how many seconds approvals count, role by role."""
    valid: dict[str, int] = {}
    for gate in _gates(case):
        for quorum in gate.roles:
            valid[quorum.role] = min(gate.valid_for_seconds, valid.get(quorum.role, gate.valid_for_seconds))
    return valid


def _seats(case: Case, counting: Mapping[Voter, Vote]) -> dict[Place, Vote]:
    places = list(dict.fromkeys(place for gate in _gates(case) for place in places_of(gate)))
    people: dict[str, list[str]] = {}
    for role, person in sorted(counting):
        people.setdefault(role, []).append(person)
    seats = match([role for role, _ in places], people)
    return {places[index]: counting[places[index][0], person] for index, person in seats.items()}


def _votes(case: Case, valid: Mapping[str, int]) -> Iterator[Vote]:
    """All approvals in roles that a gate asks for, oldest first."""
    for decision in sorted(decisions_of(case, Verb.APPROVE), key=_age):
        role = decision.spec.role or ""
        if role in valid:
            until = _until(decision, valid[role])
            yield Vote(decision, until, _problem(case, decision, until))


def _until(decision: Decision, valid: int) -> datetime:
    """When an approval stops to count; one that nobody knows the age of has stopped long ago."""
    created = decision.metadata.creation_timestamp
    if created is None:
        return NEVER
    return earliest((utc(created) + timedelta(seconds=valid), decision.spec.expires_at)) or NEVER


def _problem(case: Case, decision: Decision, until: datetime) -> str:
    """Return why an approval does not count, as a word; empty when it does."""
    spec = decision.spec
    if spec.by in case.takers:
        return "OwnApproval"
    if made(decision) < case.requested_at:
        return "ApprovedBeforeRequest"
    if unguarded(case, decision):
        return "DecidedUnguarded"
    if spec.digest != case.binding:
        return "ApprovedSomethingElse"
    if until <= case.now:
        return "ApprovalExpired"
    if (spec.by, "approve", spec.role or "") in case.facts.lost:
        return "RoleLost"
    later = (other for other in rejections_of(case) if other.spec.by == spec.by and made(other) >= made(decision))
    return "RejectedLater" if any(later) else ""


def _rejections(case: Case, counting: Mapping[Voter, Vote]) -> dict[Voter, Decision]:
    """The rejections that stand: until who rejected approves in the same role, and that counts, which it only does later.

    A rejection stands whoever has lost the role since, and even where the policies were not in force: to fail open, somebody would
    only have to take the role away from who rejects.
    """
    found = sorted(rejections_of(case), key=_age)
    return {_voter(decision): decision for decision in found if _voter(decision) not in counting}


def rejections_of(case: Case) -> Iterator[Decision]:
    """Return the rejections of this release; not those of an earlier one that had the same name."""
    return (decision for decision in decisions_of(case, Verb.REJECT) if not _before(case, decision))


def decisions_of(case: Case, verb: Verb) -> Iterator[Decision]:
    """Return the decisions of this release with a verb."""
    name = case.release.metadata.name
    return (item for item in case.facts.decisions if item.spec.verb is verb and item.spec.release == name)


def made(decision: Decision) -> datetime:
    """Return when a decision was made (UTC), by the API server's clock; long ago where that is not known."""
    created = decision.metadata.creation_timestamp
    return utc(created) if created is not None else NEVER


def unguarded(case: Case, decision: Decision) -> bool:
    """Whether a decision was made before the policies were in force, so that anybody may have written it."""
    since = case.facts.guard.since
    return since is not None and made(decision) < utc(since)


def _before(case: Case, decision: Decision) -> bool:
    return decision.metadata.creation_timestamp is not None and made(decision) < case.requested_at


def _age(decision: Decision) -> tuple[datetime, str]:
    return made(decision), decision.metadata.name


def _voter(decision: Decision) -> Voter:
    return decision.spec.role or "", decision.spec.by
