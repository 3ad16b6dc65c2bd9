"""The result of a decision: what to do, what to write down, when to look again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from feem.api.release import ReleaseStatus
from feem.core.rollout.effects import Effect

FORWARD = frozenset({"ApplyCanary", "ShiftTraffic", "Promote"})
"""The actions that bring a change closer to its users."""


@dataclass(frozen=True)
class Plan:
    """One transition of a release.

    `action` names it in the audit log and covers all `effects`; `status` is written after them; `requeue` is in seconds, None
    when only an event can change the decision. A plan without effects and with the status it found changes nothing.
    """

    action: str
    reason: str
    message: str
    status: ReleaseStatus
    effects: tuple[Effect, ...] = ()
    requeue: float | None = None
    evidence: bool = False
    """Whether the verdicts of the snapshot led here, so that their digest belongs into the record."""
    event: str = ""
    """The reason that people are told, where it is another than the condition's."""
    warning: bool = False
    """Whether people have to be warned of it."""

    @property
    def goes_forward(self) -> bool:
        """Whether it acts, and brings the change closer to its users: then every right it rests on is asked for again."""
        return self.action in FORWARD and bool(self.effects)


def without_proof(plan: Plan) -> Plan:
    """The same, on record as what the plan's owner allowed to happen without proof."""
    return replace(plan, reason="PromotedWithoutProof", event="PromotedWithoutProof", warning=True)
