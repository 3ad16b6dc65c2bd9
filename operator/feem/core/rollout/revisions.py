"""Which of a Deployment's ReplicaSets is stable, or has become so, and which release holds its change."""

from __future__ import annotations

from collections.abc import Sequence

from feem.api.release import Release
from feem.api.service import StableRevision
from feem.core.rollout.snapshot import Revision
from feem.core.rollout.status import BYPASSED, PROMOTED, ending_word, was_undone


def brought_by(release: Release | None, revisions: tuple[Revision, ...]) -> StableRevision | None:
    """Return the revision that a release has just brought live, even while it cleans up, or taken back afterwards.

    It is stable from then on: a change that comes before the clean-up is over must not be compared with, or sent back to, the
    revision before, which has no pods any more.
    """
    if release is None:
        return None
    if was_undone(release):
        digest = release.spec.stable.template_digest
    elif ending_word(release) in (PROMOTED, BYPASSED):
        digest = release.spec.template_digest
    else:
        return None
    found = revision_with(revisions, digest)
    return stable_from(found) if found is not None else None


def live_instead_of(stable: StableRevision, revisions: tuple[Revision, ...]) -> Revision | None:
    """Return the revision that has more pods than the one called stable: then a change went live past FEEM, wholly or in part.

    To release against a revision with few pods or none would pin the Service to them.
    """
    own = sum(item.replicas for item in revisions if item.template_digest == stable.template_digest)
    most = max(revisions, key=lambda item: item.replicas, default=None)
    return most if most is not None and most.replicas > own else None


def revision_with(revisions: tuple[Revision, ...], digest: str) -> Revision | None:
    """Return the newest ReplicaSet made from this template."""
    found = [revision for revision in revisions if revision.template_digest == digest]
    return max(found, key=lambda revision: revision.number) if found else None


def stable_from(revision: Revision) -> StableRevision:
    """Write a revision as the API has it."""
    return StableRevision(
        template_digest=revision.template_digest,
        pod_template_hash=revision.pod_template_hash,
        replica_set=revision.name,
    )


def holder_of(releases: Sequence[Release], digest: str) -> Release | None:
    """Return the ended release that the template with this digest belongs to and waits under, or None: then it is a new change.

    That is the last release, and any that was undone: its change went live and did harm, so it is held whenever it comes again.
    """
    found = next((item for item in reversed(releases) if item.spec.template_digest == digest), None)
    return found if found is not None and (found is releases[-1] or was_undone(found)) else None
