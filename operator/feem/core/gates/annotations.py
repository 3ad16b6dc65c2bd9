"""Which annotations the gates of a profile look at."""

from __future__ import annotations

from collections.abc import Iterator

from feem.api.gate import Gate
from feem.api.profile import ComplianceProfile

EVIDENCE = "feem.dev/evidence-"
"""What an annotation that names a document's digest begins with; the document's name follows."""


def looked_at(profile: ComplianceProfile | None) -> tuple[str, ...]:
    """Return the annotations in the order of the gates, each once."""
    gates = profile.spec.gates if profile is not None else []
    return tuple(dict.fromkeys(key for gate in gates for key in _of(gate)))


def _of(gate: Gate) -> Iterator[str]:
    if gate.ticket is not None:
        yield gate.ticket.annotation
    if gate.requirements is not None:
        yield gate.requirements.annotation
    if gate.evidence is not None:
        yield from (f"{EVIDENCE}{document}" for document in gate.evidence.documents)
