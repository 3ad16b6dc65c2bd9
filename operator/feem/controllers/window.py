"""Shows of each ChangeWindow whether it is open and what comes next, before anybody has to wait for it."""

from __future__ import annotations

from datetime import datetime

from feem.api.base import Condition
from feem.api.window import ChangeWindow, WindowStatus, WindowType
from feem.core.conditions import find, said
from feem.core.windows.problem import problem_with
from feem.core.windows.status import OPEN, opening, status_of
from feem.core.windows.times import is_over
from feem.ports import Body, Clock, Cluster, Notes

WINDOWS = "changewindows.feem.dev"
LONGEST = 3600.0
"""Seconds after which a window is looked at again in any case: its summary says `Fri 22:00` only until Friday."""


class WindowController:
    """Writes a window's conditions `Accepted` and `Open` and its next change; publishes an Event when it opens or closes."""

    def __init__(self, cluster: Cluster, notes: Notes, clock: Clock) -> None:
        self._cluster, self._notes, self._clock = cluster, notes, clock

    async def reconcile(self, name: str) -> float | None:
        """Look at one window; returns the seconds until it is to be looked at again, None when time alone changes nothing."""
        body = self._cluster.get(WINDOWS, "", name)
        if body is None:
            return None
        window, now = ChangeWindow.read(body), self._clock.now()
        old, new = window.status or WindowStatus(), status_of(window, now)
        if _shown(old) != _shown(new):
            await self._cluster.write_status(WINDOWS, "", name, new.wire(), window.metadata.resource_version)
            await self._tell(body, window.spec.type, find(old.conditions, OPEN), find(new.conditions, OPEN))
        return _seconds(window, new, now)

    async def _tell(self, body: Body, kind: WindowType, old: Condition | None, new: Condition | None) -> None:
        opened = opening(old, new) if new is not None else None
        if new is None or opened is None:
            return
        reason, warning = "Opened" if opened else "Closed", opened and kind is WindowType.FREEZE
        await self._notes.publish(body, reason=reason, message=new.message, warning=warning)


def _shown(status: WindowStatus) -> tuple[object, ...]:
    """What a status says: two equal ones need no write."""
    return said(status.conditions), status.summary, status.opens_at, status.closes_at, status.observed_generation


def _seconds(window: ChangeWindow, status: WindowStatus, now: datetime) -> float | None:
    change = status.opens_at or status.closes_at
    if change is not None:
        return min((change - now).total_seconds(), LONGEST)
    return None if is_over(window.spec, now) or problem_with(window.spec) is not None else LONGEST
