"""One release as people want to see it: the single model behind the tree, the watch and the explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from feem.api.release import Outcome
from feem.view.compliance import ComplianceView


class StepState(StrEnum):
    """Where a step stands."""

    DONE = "done"
    CURRENT = "current"
    TODO = "to do"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class StepView:
    """One grey step; `bake_left` in seconds, only of the current one while its bake clock runs."""

    number: int
    weight: int
    bake_seconds: int
    state: StepState
    bake_left: int | None = None


@dataclass(frozen=True)
class Share:
    """Bad events among all events of one track; `value` stands in for them where there are none to count, as in a gauge."""

    bad: int
    total: int
    value: str = ""

    def __str__(self) -> str:
        if self.value:
            return self.value
        percent = f" ({self.bad / self.total:.2%})" if self.total else ""
        return f"{self.bad:,} of {self.total:,} bad{percent}"


@dataclass(frozen=True)
class ObjectiveView:
    """One objective and what it says; `outcome` is None before the first evaluation.

    `target` is what is good, in words; `evidence` how strong the samples speak against the canary and from where on that
    counts, e.g. `12.4 of 200`; `shares` a mix's categories on both tracks; `queries` the exact PromQL.
    """

    name: str
    target: str
    minimum_samples: int
    outcome: Outcome | None = None
    reason: str = ""
    message: str = ""
    canary: Share | None = None
    stable: Share | None = None
    evidence: str = ""
    shares: tuple[str, ...] = ()
    decides: str = ""
    queries: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrackView:
    """The pods of one track: `stable`, `canary`, or `new` (the owner's Deployment after promotion). Weight in percent."""

    name: str
    workload: str
    ready: int
    desired: int
    weight: int | None
    images: tuple[str, ...]


@dataclass(frozen=True)
class ImageChange:
    """What one container runs before and after; `before` is empty when unknown or new."""

    container: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether the image itself is part of the change."""
        return self.before != self.after


@dataclass(frozen=True)
class DecisionView:
    """One human act; `role` only where it takes one; `applied` is the reason of its Applied condition, empty before FEEM has looked."""

    name: str
    verb: str
    by: str
    reason: str
    at: datetime | None
    applied: str
    refused: str
    role: str = ""


@dataclass(frozen=True)
class AuditRange:
    """First and last index of the audit entries about this release, and how many there are."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class ReleaseTree:
    """A release and everything it made, at one moment (`now`, UTC).

    `state` and `result` are the reasons of the conditions Progressing and Succeeded (`result` is empty while it runs);
    `doing`, `why` and `next_step` are sentences; `act` are command lines a person may use now, each with what it does.
    `weight` is the canary's percent of the requests as the HTTPRoute says, or the status when there is no route.
    """

    now: datetime
    namespace: str
    name: str
    service: str
    deployment: str
    attempt: int
    requested_by: str
    requested_at: datetime | None
    images: tuple[ImageChange, ...]
    held: bool
    state: str
    result: str
    doing: str
    why: str
    next_step: str
    act: tuple[tuple[str, str], ...]
    progress: str
    weight: int
    steps: tuple[StepView, ...]
    objectives: tuple[ObjectiveView, ...]
    tracks: tuple[TrackView, ...]
    decisions: tuple[DecisionView, ...]
    audit: AuditRange | None
    started_at: datetime | None
    completed_at: datetime | None
    warnings: tuple[str, ...]
    compliance: ComplianceView

    @property
    def ended(self) -> bool:
        """Whether the release is over and everything it made is cleaned up."""
        return self.completed_at is not None

    @property
    def promoted(self) -> bool:
        """Whether the change became the stable version."""
        return self.result == "Promoted"

    @property
    def earliest_end(self) -> int | None:
        """Seconds of bake that are still ahead at least; None once the release is over or on its way back."""
        if self.ended or self.result:
            return None
        return ahead(self.steps)


def ahead(steps: Sequence[StepView]) -> int:
    """Sum the bakes that are left, in seconds."""
    left = 0
    for step in steps:
        if step.state is StepState.CURRENT:
            left += step.bake_seconds if step.bake_left is None else step.bake_left
        elif step.state is StepState.TODO:
            left += step.bake_seconds
    return left


def duration(seconds: float) -> str:
    """Say a time span as kubectl does: `45s`, `2m5s`, `3h10m`, `2d4h`."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if days:
        return f"{days}d{hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    if minutes:
        return f"{minutes}m{secs}s" if secs else f"{minutes}m"
    return f"{secs}s"
