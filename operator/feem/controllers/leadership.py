"""Records each change of the operator that leads, as the first entry of its epoch."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api.audit import Part, Subject
from feem.ports import Entry, Ledger


@dataclass(frozen=True)
class Term:
    """Who leads, in which epoch, by which Lease; `before` is who held it last, empty when it was free."""

    namespace: str
    lease: str
    epoch: int
    identity: str
    before: str


async def record_leader(ledger: Ledger, term: Term) -> None:
    """Write down who leads from now on. Raises Unavailable, or Fenced when somebody else leads by now."""
    subject = Subject(kind="Lease", namespace=term.namespace, name=term.lease)
    reason = "LeaseExpired" if term.before else "LeaseFree"
    whence = f"{term.before} no longer renewed the Lease" if term.before else "nobody held the Lease"
    text = f"{term.identity} leads in epoch {term.epoch}: {whence}"
    await ledger.append(Entry("LeaderChanged", Part.FACT, subject, reason, text))
