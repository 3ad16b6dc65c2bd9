"""Who else is on the service: releases, which go first, and other runs, of which there is one at a time."""

from __future__ import annotations

from feem.api.experiment import Terms
from feem.api.release import Release
from feem.api.run import ChaosRun, Track
from feem.core.chaos.snapshot import Refusal, RunSnapshot
from feem.core.chaos.status import may_be_in_place, status_of
from feem.core.conditions import find
from feem.core.rollout.status import is_complete, state_of

AT_REST = frozenset({"", "Held", "Waiting", "WaitingForChaos"})
"""States of an open release, before its first step, in which it has touched nothing yet."""
WAITS = "WaitingForChaos"
REPLACING = "Replacing"
"""What a run says that waits for another one to make room."""


def release_under_way(s: RunSnapshot, _: Terms) -> Refusal | None:
    """A release of the service is in progress, or waits for the service; the run on its own canary is part of it."""
    own = s.run.spec.release if s.run.spec.track is Track.CANARY else ""
    for release in s.around.releases:
        name, state = release.metadata.name, state_of(release)
        if is_complete(release):
            continue
        if state == WAITS and (may_be_in_place(s.run) or name == own):
            return Refusal("ReleaseWaits", f"Release {name} waits for the service")
        if name != own and (state not in AT_REST or _step(release) > 0):
            return Refusal(
                "ReleaseInProgress", f"Release {name} is in progress ({state}): kubectl feem watch {name} follows it"
            )
    return _own_release(s, own) if own else None


def _own_release(s: RunSnapshot, own: str) -> Refusal | None:
    release = next((one for one in s.around.releases if one.metadata.name == own), None)
    if release is None or is_complete(release) or not _has_canary(release):
        return Refusal("ReleaseEnded", f"Release {own} has no canary with traffic (any more)")
    return None


def _step(release: Release) -> int:
    return release.status.step if release.status is not None else 0


def _has_canary(release: Release) -> bool:
    status = release.status
    result = find(status.conditions, "Succeeded") if status is not None else None
    return status is not None and status.step > 0 and (result is None or result.status == "Unknown")


def other_run(s: RunSnapshot, terms: Terms) -> Refusal | None:
    """Another run is on the service, or on one that this one touches; of two that wait, the older goes first."""
    mine = _touched(s, terms)
    for other in s.around.others:
        theirs = status_of(other).terms
        name = other.metadata.name
        if theirs is None or not (mine & _touched(s, theirs)):
            continue
        if _goes_first(s.run, other):
            text = f"ChaosRun {name} is on the same service: kubectl get crun {name} -n {other.metadata.namespace}"
            return Refusal("AnotherRun", text)
    return None


def _goes_first(run: ChaosRun, other: ChaosRun) -> bool:
    """Whether another run has a fault in place, or is settled and is not the younger one of two that are."""
    mine, theirs = status_of(run), status_of(other)
    if theirs.planned_at is None:
        return False
    both_wait = mine.planned_at is not None and theirs.injected_at is None
    return not both_wait or _age(other) < _age(run)


def _age(run: ChaosRun) -> tuple[str, str]:
    return str(run.metadata.creation_timestamp), run.metadata.name


def _touched(s: RunSnapshot, terms: Terms) -> frozenset[str]:
    """The services that a fault touches: its own, and the one behind a dependency that it cuts."""
    cut = terms.fault.dependency_cut
    behind = [
        one.metadata.name for one in s.around.services if cut is not None and one.spec.traffic.service == cut.service
    ]
    return frozenset((terms.service, *behind))


def replaced(s: RunSnapshot, terms: Terms) -> Refusal | None:
    """A newer run of a service wants this one to make room, by its experiment's concurrency policy."""
    for other in s.around.others:
        theirs = status_of(other)
        waits = find(theirs.conditions, "Progressing")
        same = theirs.terms is not None and theirs.terms.service == terms.service
        if same and theirs.planned_at is None and waits is not None and waits.reason == REPLACING:
            return Refusal("Replaced", f"ChaosRun {other.metadata.name} takes its place")
    return None
