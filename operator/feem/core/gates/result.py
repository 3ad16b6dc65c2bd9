"""What gates say: one result a gate, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feem.api.gate import Stage
from feem.api.release import GateOutcome, SignOffDuty

ORDER = (Stage.REQUEST, Stage.START, Stage.STEP, Stage.PROMOTION, Stage.CLOSURE)
"""The stages in the order in which a release comes to them."""


@dataclass(frozen=True)
class GateResult:
    """What one gate says.

    `message` is a sentence with the next step; `short` says in a few words what is missing, for the line that `kubectl get` shows;
    `until` is when time alone may change the answer (UTC), None when only an event can.
    """

    name: str
    stage: Stage
    outcome: GateOutcome
    reason: str
    message: str
    short: str = ""
    until: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether the release may not go on because of it."""
        return self.outcome is GateOutcome.HOLDING


@dataclass(frozen=True)
class Reliance:
    """A decision that a passing or skipped gate rests on: its author's right is asked for again at the moment of acting.

    `verb` is `approve` or `signoff` on approvalroles/`role`, or `breakglass` on the release, for which `role` is empty.
    """

    decision: str
    user: str
    groups: tuple[str, ...]
    verb: str
    role: str = ""


@dataclass(frozen=True)
class Compliance:
    """All results in the order in which people are told; what an approval of the release allows; what it rests on."""

    results: tuple[GateResult, ...] = ()
    binding: str = ""
    relies_on: tuple[Reliance, ...] = ()

    def holding(self, stage: Stage) -> tuple[GateResult, ...]:
        """Return what keeps the release from what belongs to a stage: the gates of that stage and of all before it."""
        asked = ORDER[: ORDER.index(stage) + 1]
        return tuple(result for result in self.results if result.holds and result.stage in asked)


@dataclass(frozen=True)
class Closure:
    """What a release owes after its end: the duty, whether it is paid, in words; and until when its record stays."""

    duty: SignOffDuty | None = None
    signed: bool = False
    reason: str = ""
    message: str = ""
    relies_on: tuple[Reliance, ...] = ()
    retain_until: datetime | None = None
