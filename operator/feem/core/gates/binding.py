"""What an approval allows, as one digest: whatever is edited afterwards makes another one, and voids the approval."""

from __future__ import annotations

from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.core.digest import digest_of
from feem.core.gates.annotations import looked_at


def facts_of(release: Release, profile: ComplianceProfile | None = None) -> dict[str, str]:
    """Return what the annotations say that gates look at, without blanks around it and without empty ones.

    The Release's own annotation counts, where it has one, instead of what the Deployment's said when the change was held. Beside
    those that the profile's gates look at, all that were frozen are there.
    """
    frozen = {fact.name: fact.value for fact in release.spec.compliance.facts} if release.spec.compliance else {}
    own = release.metadata.annotations
    said = {name: own.get(name, frozen.get(name, "")).strip() for name in (*looked_at(profile), *frozen)}
    return {name: value for name, value in said.items() if value}


def binding_of(release: Release, profile: ComplianceProfile | None) -> str:
    """Return the digest over the release's identity and spec, its effective facts and the live profile."""
    return digest_of(
        {
            "release": release.metadata.uid,
            "spec": release.spec.wire(),
            "facts": facts_of(release, profile),
            "profile": profile.spec.wire() if profile is not None else None,
        }
    )
