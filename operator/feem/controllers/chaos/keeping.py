"""The samples of a run's fault, kept as those of a release are: judged again, they give the same verdicts."""

from __future__ import annotations

from feem.api.run import ChaosRun
from feem.core.chaos.status import status_of
from feem.core.rollout.effects import KeepEvidence


def kept_samples(run: ChaosRun, digest: str, document: bytes) -> KeepEvidence:
    """Return the effect that keeps them in a ConfigMap, which goes when the run goes."""
    meta, terms = run.metadata, status_of(run).terms
    service = terms.service if terms is not None else ""
    return KeepEvidence(meta.namespace, meta.name, meta.uid, service, digest, document, owner_kind="ChaosRun")
