"""The result of a decision about a service: what to do, what to write down."""

from __future__ import annotations

from dataclasses import dataclass

from feem.api.release import Release
from feem.api.service import StableRevision
from feem.core.rollout.effects import Effect


@dataclass(frozen=True)
class ServicePlan:
    """One transition of a service. `stable` is what the status shall say; `closed` are ended releases that hold nothing any more.

    `reheld` is a release that was undone and whose change has come again. `unattributed` is the digest of a template that went
    live without a release, to be recorded; `released` says that the last duty of a deleted service is done and the finalizer
    may go.
    """

    action: str = ""
    reason: str = ""
    message: str = ""
    effects: tuple[Effect, ...] = ()
    stable: StableRevision | None = None
    ready: tuple[bool, str, str] = (True, "Governed", "changes are held and released in grey")
    closed: tuple[tuple[Release, str], ...] = ()
    reheld: Release | None = None
    unattributed: str = ""
    released: bool = False
