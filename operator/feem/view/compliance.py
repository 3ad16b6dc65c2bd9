"""What a release's gates say, what was approved, and what is owed afterwards, as people want to see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from feem.api.base import ConditionStatus
from feem.api.gate import Stage
from feem.api.release import GateOutcome, GateStatus, Release, ReleaseStatus
from feem.api.service import Mode
from feem.core.conditions import find
from feem.core.gates.result import ORDER

SHORT_DIGEST = len("sha256:") + 16
"""So much of a digest is shown; `feem approve --digest` takes it as it stands."""

_ACT = re.compile(r'kubectl (feem (?P<verb>approve|sign-off) (?P<name>\S+) -n \S+ --role (?P<role>\S+) --reason "…")')


@dataclass(frozen=True)
class GateView:
    """One gate and what it says; `acts` are the command lines in its message that open it: (command, verb, role, release)."""

    name: str
    stage: Stage
    outcome: GateOutcome
    reason: str
    message: str
    acts: tuple[tuple[str, str, str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it keeps the release from what belongs to its stage."""
        return self.outcome is GateOutcome.HOLDING

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles whose approval it waits for."""
        return tuple(dict.fromkeys(role for _, verb, role, _ in self.acts if verb == "approve"))


@dataclass(frozen=True)
class DutyView:
    """What is owed after the release; `signed` says that it is done, `overdue` that it is not, and late."""

    role: str
    due: datetime
    emergency: str
    not_by: tuple[str, ...]
    signed: bool
    overdue: bool
    said: str

    @property
    def open(self) -> bool:
        """Whether somebody still has to do it."""
        return not self.signed


@dataclass(frozen=True)
class ComplianceView:
    """The profile, whether it is only observed, who wrote the change, and the gates; `following` is the stage that comes next."""

    profile: str = ""
    observed: bool = False
    author: str = ""
    binding: str = ""
    gates: tuple[GateView, ...] = ()
    following: Stage = Stage.START
    duty: DutyView | None = None
    retain_until: datetime | None = None

    @property
    def blocking(self) -> tuple[GateView, ...]:
        """The gates that hold what comes next; where none of them does, those that hold what comes later."""
        asked = ORDER[: ORDER.index(self.following) + 1]
        holding = tuple(gate for gate in self.gates if gate.holds)
        return tuple(gate for gate in holding if gate.stage in asked) or holding


def compliance_of(release: Release, status: ReleaseStatus, now: datetime) -> ComplianceView:
    """Read from the release itself whatever its gates say: who sees it need not see profiles and windows."""
    spec = release.spec
    return ComplianceView(
        profile=spec.compliance.profile if spec.compliance else "",
        observed=spec.mode is Mode.OBSERVE,
        author=spec.author,
        binding=status.binding,
        gates=tuple(_gate(item) for item in status.gates),
        following=_following(status.step + 1, len(spec.plan.steps)),
        duty=_duty(status, now),
        retain_until=status.retain_until,
    )


def short(digest: str) -> str:
    """Return a digest as people compare it."""
    return digest[:SHORT_DIGEST]


def day(at: datetime) -> str:
    """Return a moment with its date, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _gate(item: GateStatus) -> GateView:
    acts = tuple((found[1], found["verb"], found["role"], found["name"]) for found in _ACT.finditer(item.message))
    return GateView(item.name, item.stage, item.outcome, item.reason, item.message, tuple(dict.fromkeys(acts)))


def _following(step: int, steps: int) -> Stage:
    if step > steps:
        return Stage.PROMOTION
    return Stage.START if step <= 1 else Stage.STEP


def _duty(status: ReleaseStatus, now: datetime) -> DutyView | None:
    if status.sign_off is None:
        return None
    done = find(status.conditions, "SignedOff")
    signed = done is not None and done.status is ConditionStatus.TRUE
    return DutyView(
        role=status.sign_off.role,
        due=status.sign_off.due,
        emergency=status.sign_off.emergency,
        not_by=tuple(status.sign_off.not_by),
        signed=signed,
        overdue=not signed and now >= status.sign_off.due,
        said=done.message if done else "",
    )
