"""Giving a Deployment back to its owner, exactly as its owner wrote it."""

from __future__ import annotations

from feem.api.service import StableRevision
from feem.core.rollout.effects import Effect, Ungovern, Unpause
from feem.core.rollout.snapshot import ServiceSnapshot, Workload


def give_back(s: ServiceSnapshot, workload: Workload, stable: StableRevision | None) -> tuple[tuple[Effect, ...], str]:
    """Return what takes FEEM's marks off a Deployment, and what that leaves, as a sentence.

    A template that was never released stays paused: letting it go is for people to decide.
    """
    effects: list[Effect] = []
    namespace = s.service.metadata.namespace
    on_stable = stable is not None and workload.template_digest == stable.template_digest
    if workload.paused and on_stable:
        effects.append(Unpause(namespace, workload.name, workload.template_digest, promoting=False))
    effects.append(Ungovern(namespace, workload.name))
    text = f"Deployment {workload.name} is its owner's again"
    if workload.paused and not on_stable:
        text += (
            "; it stays paused, since its template was never released: apply the earlier version again to drop the change, "
            "or kubectl rollout resume to bring it live ungoverned"
        )
    return tuple(effects), text
