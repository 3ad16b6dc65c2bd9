"""A run as it happens: one line for each thing that became known of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from feem.api.release import ObjectiveVerdict
from feem.api.run import ChaosRun, EffectSeen, RunStatus
from feem.core.chaos.status import PROGRESSING, SUCCEEDED, result_of, status_of
from feem.core.conditions import find
from feem.view.chaos.causes import next_step
from feem.view.chaos.edits import planned

_TOLD_OTHERWISE = frozenset({"Planned", "Ended"})
"""States that are told by what happened instead."""


@dataclass(frozen=True)
class Line:
    """Something that became known: said once for each `key`. `at` (UTC) is when it was; None: now."""

    key: str
    text: str
    at: datetime | None = None


def story(run: ChaosRun) -> Iterator[Line]:
    """Yield everything that is known of a run, in the order in which it happened."""
    status = status_of(run)
    yield from _beginning(status)
    yield from _fault(status)
    yield from _recovery(status)
    state = find(status.conditions, PROGRESSING)
    if status.completed_at is None and state is not None and state.reason not in _TOLD_OTHERWISE:
        same = re.sub(r"[0-9.]+", "#", state.message)  # other figures alone are no news
        yield Line(f"state {state.reason} {same}", _said(state.reason.lower(), state.message))
    yield from _end(run, status)


def _beginning(status: RunStatus) -> Iterator[Line]:
    yield from _objectives("before", status.before)
    if status.planned_at is not None:
        until = f"; taken back at {_clock(status.expires_at)} at the latest" if status.expires_at else ""
        yield Line("planned", f"planned: {planned(status.edits) or 'no changes'}{until}", status.planned_at)


def _fault(status: RunStatus) -> Iterator[Line]:
    effect = status.effect or EffectSeen()
    if status.injected_at is not None:
        yield Line("injected", "injected: all of the fault is in place", status.injected_at)
    if effect.seen_at is not None:
        values = f": {effect.before or 'none'} before, {effect.during} now" if effect.during else ""
        said = effect.message if not values else ""
        yield Line("seen", _said(f"effect seen{values}", said), effect.seen_at)
    yield from _objectives("during", status.during)
    if status.unmeasured_since is not None:
        yield Line("unmeasured", "the objectives cannot be measured", status.unmeasured_since)
    if status.breached_at is not None:
        yield Line("breached", "an objective is certainly breached: the fault is taken back", status.breached_at)


def _recovery(status: RunStatus) -> Iterator[Line]:
    if status.undone_at is not None and status.planned_at is not None:
        stood = f" after {_seconds(status.injected_at, status.undone_at)} in place" if status.injected_at else ""
        yield Line("undone", f"undone{stood}", status.undone_at)
    if status.effect is not None and status.effect.gone_at is not None:
        yield Line("gone", "effect gone", status.effect.gone_at)
    yield from _objectives("after", status.after)
    if status.recovered_at is not None:
        took = f" {_seconds(status.undone_at, status.recovered_at)} after the undo" if status.undone_at else ""
        yield Line("recovered", f"recovered{took}", status.recovered_at)
    for text in status.residue:
        yield Line(f"residue {text}", f"LEFT: {text}")
    for text in status.kept:
        yield Line(f"kept {text}", f"kept: {text}")


def _end(run: ChaosRun, status: RunStatus) -> Iterator[Line]:
    result = result_of(run)
    if status.completed_at is None or not result:
        return
    found = find(status.conditions, SUCCEEDED)
    cause = f" ({status.cause})" if status.cause else ""
    word = "refused" if result == "Skipped" else result
    yield Line("result", _said(f"{word}{cause}", found.message if found else ""), status.completed_at)
    step = next_step(status.cause, status.terms.service if status.terms else "")
    if step:
        yield Line("next", f"next: {step}", status.completed_at)


def _objectives(when: str, found: Sequence[ObjectiveVerdict]) -> Iterator[Line]:
    for one in found:
        text = f"objective {one.name} {when}: {one.outcome.value}"
        yield Line(f"{when} {one.name} {one.outcome} {one.reason}", _said(text, one.message))


def _seconds(start: datetime, end: datetime) -> str:
    return f"{round((end - start).total_seconds(), 1):g} s"


def _said(head: str, message: str) -> str:
    return f"{head}: {message}" if message else head


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S} UTC" if at is not None else ""
