"""Seals an ended release: puts its dossier together from what the cluster shows, and signs a statement about it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from feem import __version__
from feem.api.decision import Decision
from feem.api.release import EvidenceFile, Release, ReleaseStatus
from feem.controllers.resources import DECISIONS, DEPLOYMENTS, REPLICA_SETS
from feem.core.digest import canonical, template_digest
from feem.core.dossier.attestation import PAYLOAD_TYPE, statement_of
from feem.core.dossier.dossier import Manifests, Samples, dossier_of
from feem.core.rollout.effects import KeepEvidence
from feem.core.rollout.plan import Plan
from feem.ports import Body, Cluster, Signer

log = structlog.get_logger(__name__)

LARGEST = 524_288
"""Characters that a packed dossier may take in a Release; beyond it the release goes without."""


class Sealer:
    """Without keys nothing is sealed."""

    def __init__(self, cluster: Cluster, origin: str, signer: Signer | None) -> None:
        self._cluster, self._origin, self._signer = cluster, origin, signer

    def sealed(self, release: Release, plan: Plan) -> Plan:
        """Return the plan that ends a release, with dossier and attestation on its status."""
        if self._signer is None:
            return plan
        meta = release.metadata
        ended = release.model_copy(update={"status": plan.status})
        salt = self._signer.salt(f"redaction {meta.uid}")
        manifests = Manifests(self._template(release, stable=True), self._template(release, stable=False), salt)
        samples = [Samples(file.name, file.sha256, file.digest) for file in plan.status.evidence_files]
        dossier = dossier_of(
            self._origin, ended, (plan.reason, plan.message), self._decisions(release), manifests, samples
        )
        packed = base64.b64encode(gzip.compress(canonical(dossier), mtime=0)).decode()
        if len(packed) > LARGEST:
            log.warning(
                "release too large for a dossier", release=meta.name, namespace=meta.namespace, characters=len(packed)
            )
            return plan
        payload = canonical(statement_of(dossier, f"feem.dev/operator@{__version__}"))
        envelope = json.dumps(self._signer.sign_dsse(PAYLOAD_TYPE, payload))
        return replace(plan, status=plan.status.model_copy(update={"dossier": packed, "attestation": envelope}))

    def _decisions(self, release: Release) -> list[Decision]:
        found = (Decision.read(body) for body in self._cluster.list(DECISIONS, release.metadata.namespace))
        mine = [decision for decision in found if decision.spec.release == release.metadata.name]
        return sorted(mine, key=lambda decision: decision.metadata.name)

    def _template(self, release: Release, *, stable: bool) -> Mapping[str, Any] | None:
        """Return the pod template before or after, from the Deployment or one of its ReplicaSets; None when neither has it."""
        spec = release.spec
        wanted = spec.stable.template_digest if stable else spec.template_digest
        deployment = self._cluster.get(DEPLOYMENTS, release.metadata.namespace, spec.deployment)
        if deployment is None:
            return None
        holders: list[Body] = [deployment, *self._cluster.owned(REPLICA_SETS, deployment["metadata"]["uid"])]
        templates = (holder["spec"]["template"] for holder in holders)
        return next((template for template in templates if template_digest(template) == wanted), None)


def with_file(status: ReleaseStatus, kept: KeepEvidence) -> ReleaseStatus:
    """Return the status with a kept file of samples; its checksum is known only to the one who wrote it."""
    files = list(status.evidence_files)
    if kept.document and kept.name not in {file.name for file in files}:
        sha256 = hashlib.sha256(kept.document).hexdigest()
        files.append(EvidenceFile(name=kept.name, sha256=sha256, digest=kept.digest))
    return status.model_copy(update={"evidence": kept.name, "evidence_files": files[-8:]})


def seal_digest(status: ReleaseStatus) -> str:
    """Return the digest of a release's attestation, for the record of its end; empty without one."""
    return "sha256:" + hashlib.sha256(status.attestation.encode()).hexdigest() if status.attestation else ""
