"""What happened in a run, and when: the events of its timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feem.api.run import ChaosRun, EffectSeen
from feem.core.chaos.status import status_of
from feem.view.report.text import seconds_of


@dataclass(frozen=True)
class Event:
    """One event: its name among the labels, when (Unix seconds), and the kind of its mark."""

    name: str
    at: float
    kind: str = ""


@dataclass(frozen=True)
class Phase:
    """A stretch of a run, in Unix seconds; `kind` is what it is drawn as."""

    kind: str
    start: float
    end: float


def events(run: ChaosRun, records: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Return the events in their order; equal times stay in the order in which such things happen."""
    status = status_of(run)
    effect = status.effect or EffectSeen()
    moments: tuple[tuple[str, datetime | None, str], ...] = (
        ("planned", status.planned_at, "forward"),
        ("injected", status.injected_at, "back"),
        ("seen", effect.seen_at, "people"),
        ("unmeasured", status.unmeasured_since, ""),
        ("breached", status.breached_at, "back"),
        ("undone", status.undone_at, "forward"),
        ("gone", effect.gone_at, "people"),
        ("recovered", status.recovered_at, "end"),
        ("over", status.completed_at, ""),
    )
    found = [Event(name, at.timestamp(), kind) for name, at, kind in moments if at is not None]
    return sorted([*_first(run, records), *found], key=lambda event: event.at)


def phases(run: ChaosRun) -> list[Phase]:
    """Return the stretches between plan, injection, undo and recovery, as far as the run came."""
    status = status_of(run)
    bounds = (status.planned_at, status.injected_at, status.undone_at, status.recovered_at, status.completed_at)
    kinds = ("", "fault", "recovery", "whole")
    known = [(kind, start, end) for kind, start, end in zip(kinds, bounds, bounds[1:], strict=False) if start and end]
    return [Phase(kind, start.timestamp(), end.timestamp()) for kind, start, end in known]


def _first(run: ChaosRun, records: Sequence[Mapping[str, Any]]) -> list[Event]:
    times = (record["time"] for record in records if record["subject"].get("uid") == run.metadata.uid)
    at = seconds_of(next(times, ""))
    return [Event("on record", at)] if at is not None else []
