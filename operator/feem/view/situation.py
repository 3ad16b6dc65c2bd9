"""What the sentences about a release are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feem.api.release import Release, ReleaseStatus
from feem.view.compliance import ComplianceView
from feem.view.release import DecisionView, ObjectiveView, StepState, StepView, TrackView


@dataclass(frozen=True)
class Situation:
    """A release with what is already known about it; `said` and `ending` are its conditions' own messages."""

    release: Release
    status: ReleaseStatus
    state: str
    result: str
    said: str
    ending: str
    steps: tuple[StepView, ...]
    tracks: tuple[TrackView, ...]
    objectives: tuple[ObjectiveView, ...]
    decisions: tuple[DecisionView, ...]
    newest: bool
    compliance: ComplianceView
    now: datetime

    @property
    def current(self) -> StepView | None:
        """The step the traffic is in."""
        return next((step for step in self.steps if step.state is StepState.CURRENT), None)

    @property
    def following(self) -> StepView | None:
        """The step after it."""
        return next((step for step in self.steps if step.state is StepState.TODO), None)

    @property
    def over(self) -> bool:
        """Whether everything is cleaned up."""
        return self.status.completed_at is not None

    def track(self, name: str) -> TrackView | None:
        """Return one track's pods."""
        return next((track for track in self.tracks if track.name == name), None)
