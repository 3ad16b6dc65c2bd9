"""What is frozen in a Release's spec when its change is held, so that gates and approvals look at one and the same thing."""

from __future__ import annotations

from collections.abc import Mapping

from feem.api.profile import ComplianceProfile
from feem.api.release import ComplianceFacts, Fact
from feem.api.service import ManagedService
from feem.core.digest import digest_of
from feem.core.gates.annotations import looked_at

MOST_FACTS = 40
LONGEST_VALUE = 1024
LONGEST_USER = 512
"""Bounds of the Release's spec."""


def compliance_facts(
    service: ManagedService, profile: ComplianceProfile, annotations: Mapping[str, str]
) -> ComplianceFacts:
    """Return what the profile's gates will look at. `annotations` are the Deployment's.

    A value too long for the API is left out rather than cut: half a list of references would not be what its author wrote.
    """
    wanted = ((name, annotations.get(name, "").strip()) for name in looked_at(profile))
    facts = [Fact(name=name, value=value) for name, value in wanted if 0 < len(value) <= LONGEST_VALUE]
    spec = service.spec
    return ComplianceFacts(
        profile=profile.metadata.name,
        profile_digest=profile_digest(profile),
        facts=facts[:MOST_FACTS],
        owner=spec.owner,
        data_classification=spec.data_classification,
        runbook=spec.runbook,
        rollback_plan=spec.rollback_plan,
        drills=spec.drills,
    )


def profile_digest(profile: ComplianceProfile) -> str:
    """Return the digest that a release remembers its profile by."""
    return digest_of(profile.spec.wire())


def author_of(profile: ComplianceProfile, annotations: Mapping[str, str], requested_by: str) -> str:
    """Return who wrote the change, as the Deployment's annotation says; empty unless one of the profile's pipelines asked for it."""
    author = annotations.get(profile.spec.author_annotation, "").strip()
    return author if requested_by in profile.spec.pipelines and len(author) <= LONGEST_USER else ""
