"""What a release asks of people: its profile's roles, and what an emergency may skip."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from feem.api.gate import Stage
from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.cli.cluster import Cluster
from feem.cli.problem import Forbidden, NotFound, Problem

PROFILES = "complianceprofiles.feem.dev"


@dataclass(frozen=True)
class Asked:
    """A profile by its name; None with a note where this person cannot see it."""

    name: str = ""
    profile: ComplianceProfile | None = None
    note: str = ""


def asked_of(cluster: Cluster, release: Release) -> Asked:
    """Read the profile that a release was requested under."""
    return profile_named(cluster, release.spec.compliance.profile if release.spec.compliance else "")


def profile_named(cluster: Cluster, name: str) -> Asked:
    """Read a profile; who may not read it, or a profile that is gone, is a note and no error."""
    if not name:
        return Asked()
    try:
        return Asked(name, ComplianceProfile.read(cluster.get(PROFILES, "", name)))
    except Forbidden:
        return Asked(name, note=f"you may not read ComplianceProfile {name} to see what it asks for")
    except NotFound:
        return Asked(name, note=f"ComplianceProfile {name} is gone")
    except ValidationError as odd:
        return Asked(name, note=f"ComplianceProfile {name} is of another version: {odd.errors()[0]['msg']}")


def approval_roles(asked: Asked) -> tuple[str, ...]:
    """Return the roles that approvals gates ask for, each once, in the order of the gates."""
    gates = asked.profile.spec.gates if asked.profile is not None else []
    approvals = (gate.approvals for gate in gates if gate.stage is not Stage.CLOSURE and gate.approvals is not None)
    return tuple(dict.fromkeys(quorum.role for gate in approvals for quorum in gate.roles))


def require_role(what: str, role: str | None, roles: tuple[str, ...] | None) -> str:
    """Return the role, if it is one that is asked for; `roles` is None where nobody can tell here. Raises Problem."""
    known = f"it is asked for in: {', '.join(roles)}" if roles else ""
    if not role:
        raise Problem(what, "the role is missing", f"give --role ROLE{f'; {known}' if known else ''}")
    if roles is not None and role not in roles:
        reason = f"nobody is asked in role {role}" if roles else "nobody is asked for it in any role"
        raise Problem(what, reason, f"give --role {' or '.join(roles)}" if roles else "")
    return role
