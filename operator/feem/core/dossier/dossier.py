"""A release's dossier: what was asked, under which rules, who decided, what each gate and objective said, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feem.api.decision import Decision
from feem.api.release import GateStatus, Release, ReleaseStatus
from feem.core.audit.texts import sentence
from feem.core.dossier.redact import redacted

FORMAT = "feem.dev/dossier@v1"


@dataclass(frozen=True)
class Samples:
    """One kept file of raw samples: the name of its ConfigMap, the SHA-256 of the file (hex), and the digest in the log."""

    name: str
    sha256: str
    digest: str


@dataclass(frozen=True)
class Manifests:
    """The pod templates before and after, as stored; None where the one before is not known any more."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    salt: bytes
    """What secrets in them are replaced with the help of; known to the operator alone."""


def dossier_of(
    origin: str,
    release: Release,
    result: tuple[str, str],
    decisions: Sequence[Decision],
    manifests: Manifests,
    samples: Sequence[Samples],
) -> dict[str, Any]:
    """Return the dossier as JSON; `result` is the reason and the sentence that the release ends with."""
    status = release.status or ReleaseStatus()
    return {
        "format": FORMAT,
        "origin": origin,
        "release": _release(release),
        "result": {
            "reason": result[0],
            "message": sentence(result[1]),
            "at": _moment(status.completed_at),
            "step": status.step,
            "weight": status.weight,
        },
        "gates": [_gate(gate) for gate in status.gates],
        "decisions": [_decision(decision) for decision in decisions],
        "objectives": [objective.wire() for objective in release.spec.objectives],
        "verdicts": [verdict.wire() for verdict in status.verdicts],
        "manifests": {
            "before": redacted(manifests.before, manifests.salt) if manifests.before is not None else None,
            "after": redacted(manifests.after, manifests.salt) if manifests.after is not None else None,
        },
        "samples": [{"name": each.name, "sha256": each.sha256, "digest": each.digest} for each in samples],
    }


def _release(release: Release) -> dict[str, Any]:
    meta, spec = release.metadata, release.spec
    return {
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "service": spec.service,
        "deployment": spec.deployment,
        "digest": spec.template_digest,
        "stable": spec.stable.wire(),
        "images": [image.wire() for image in spec.images],
        "requestedBy": spec.requested_by,
        "author": spec.author,
        "createdAt": _moment(meta.creation_timestamp),
        "plan": spec.plan.wire(),
        "profile": spec.compliance.profile if spec.compliance else "",
        "profileDigest": spec.compliance.profile_digest if spec.compliance else "",
        "facts": {fact.name: sentence(fact.value) for fact in spec.compliance.facts} if spec.compliance else {},
    }


def _gate(gate: GateStatus) -> dict[str, Any]:
    return {**gate.wire(), "message": sentence(gate.message)}


def _decision(decision: Decision) -> dict[str, Any]:
    created = decision.metadata.creation_timestamp
    reason = sentence(decision.spec.reason)
    return {**decision.spec.wire(), "reason": reason, "name": decision.metadata.name, "createdAt": _moment(created)}


def _moment(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time is not None else ""
