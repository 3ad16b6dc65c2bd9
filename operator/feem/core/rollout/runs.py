"""The ChaosRuns that concern a release: those of its own steps, and those whose fault may be on the service's pods."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from feem.api.release import Release
from feem.api.run import ChaosRun, Track
from feem.core.chaos.status import IN_PLACE, is_open, may_be_in_place, status_of
from feem.core.conditions import is_true
from feem.core.rollout.snapshot import ReleaseSnapshot

Body = dict[str, Any]


def concerning(bodies: Iterable[Body], release: Release) -> tuple[ChaosRun, ...]:
    """Read the runs that have to do with a release, oldest first: also those that merely bear one of its names."""
    found = [ChaosRun.read(body) for body in bodies if _bears_name(body, release) or _is_open_on(body, release)]
    return tuple(sorted(found, key=lambda run: (str(run.metadata.creation_timestamp), run.metadata.name)))


def name_for(s: ReleaseSnapshot, step: int) -> str:
    """Return the first free name of a step's runs; the name of a run that is there would be taken for that run."""
    taken, first = {run.metadata.name for run in s.runs}, f"{s.release.metadata.name}-s{step}"
    names = (first, *(f"{first}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def tries(s: ReleaseSnapshot, step: int) -> tuple[ChaosRun, ...]:
    """Return the runs by which the step's experiment was tried on this release's canary, in the order of their numbers."""
    chaos = s.release.spec.plan.steps[step - 1].chaos
    if chaos is None:
        return ()
    numbers = {run.metadata.name: _number(run, s.release, step) for run in s.runs}
    found = [
        run
        for run in s.runs
        if numbers[run.metadata.name] and is_own(run, s.release) and run.spec.experiment == chaos.experiment
    ]
    return tuple(sorted(found, key=lambda run: numbers[run.metadata.name]))


def under_way(s: ReleaseSnapshot) -> ChaosRun | None:
    """Return the run on this release's canary that is not over, None when there is none."""
    return next((run for run in s.runs if is_own(run, s.release) and is_open(run)), None)


def is_own(run: ChaosRun, release: Release) -> bool:
    """Whether a run is on this release's canary, and not of an earlier release of its name."""
    mine = run.spec.track is Track.CANARY and run.spec.release == release.metadata.name
    made, began = run.metadata.creation_timestamp, release.metadata.creation_timestamp
    return mine and (made is None or began is None or made >= began)


def disturbs(run: ChaosRun) -> bool:
    """Whether the run's fault may be in place, or is about to be."""
    return is_open(run) and (may_be_in_place(run) or is_true(status_of(run).conditions, IN_PLACE))


def _bears_name(body: Body, release: Release) -> bool:
    name = release.metadata.name
    return body["spec"].get("release") == name or str(body["metadata"]["name"]).startswith(f"{name}-s")


def _is_open_on(body: Body, release: Release) -> bool:
    status = body.get("status") or {}
    return not status.get("completedAt") and (status.get("terms") or {}).get("service") == release.spec.service


def _number(run: ChaosRun, release: Release, step: int) -> int:
    """Which attempt of the step a run is by its name, from 1; 0: none."""
    found = re.fullmatch(rf"{re.escape(release.metadata.name)}-s{step}(?:-([1-9][0-9]*))?", run.metadata.name)
    return 0 if found is None else int(found.group(1) or 1)
