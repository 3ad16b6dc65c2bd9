"""Shows of each ChangeWindow whether it is open and what comes next, before anybody has to wait for it."""

from __future__ import annotations

from datetime import datetime

from feem.api.audit import Part, Subject
from feem.api.base import Condition, ConditionStatus
from feem.api.window import ChangeWindow, WindowStatus, WindowType
from feem.core.conditions import find, said
from feem.core.digest import digest_of
from feem.core.windows.problem import problem_with
from feem.core.windows.status import OPEN, opening, status_of
from feem.core.windows.times import is_over
from feem.ports import Body, Clock, Cluster, Entry, Ledger, Notes

WINDOWS = "changewindows.feem.dev"
LONGEST = 3600.0
"""Seconds after which a window is looked at again in any case: its summary says `Fri 22:00` only until Friday."""


class WindowController:
    """Writes a window's conditions `Accepted` and `Open` and its next change; records and tells when it opens or closes."""

    def __init__(self, cluster: Cluster, ledger: Ledger, notes: Notes, clock: Clock) -> None:
        self._cluster, self._ledger, self._notes, self._clock = cluster, ledger, notes, clock
        self._open: dict[str, Subject] = {}
        self._recorded: dict[str, tuple[object, ...]] = {}

    async def reconcile(self, name: str) -> float | None:
        """Look at one window; returns the seconds until it is to be looked at again, None when time alone changes nothing."""
        body = self._cluster.get(WINDOWS, "", name)
        if body is None:
            await self._record_gone(name)
            return None
        window, now = ChangeWindow.read(body), self._clock.now()
        old, new = window.status or WindowStatus(), status_of(window, now)
        await self._record(window, find(old.conditions, OPEN), new)
        if _shown(old) != _shown(new):
            await self._cluster.write_status(WINDOWS, "", name, new.wire(), window.metadata.resource_version)
            await self._tell(body, window.spec.type, find(old.conditions, OPEN), find(new.conditions, OPEN))
        return _seconds(window, new, now)

    async def _record(self, window: ChangeWindow, old: Condition | None, new: WindowStatus) -> None:
        """Record an opening or closing before the status says it; the status tells a new operator what was recorded."""
        said_now, meta = find(new.conditions, OPEN), window.metadata
        opened = opening(old, said_now) if said_now is not None else None
        subject = Subject(kind="ChangeWindow", name=meta.name, uid=meta.uid)
        if said_now is None:
            return
        if said_now.status is ConditionStatus.TRUE:
            self._open[meta.name] = subject
        else:
            self._open.pop(meta.name, None)
        change = meta.uid, opened, new.opens_at, new.closes_at, meta.generation
        if opened is None or self._recorded.get(meta.name) == change:
            return
        action, digest = "WindowOpened" if opened else "WindowClosed", digest_of(window.spec.wire())
        text = f"{window.spec.type}: {said_now.message}"
        await self._ledger.append(Entry(action, Part.FACT, subject, said_now.reason, text[:4000], evidence=digest))
        self._recorded[meta.name] = change

    async def _record_gone(self, name: str) -> None:
        """Record that an open window was deleted: a freeze ends by that, too."""
        self._recorded.pop(name, None)
        subject = self._open.get(name)
        if subject is not None:
            text = f"ChangeWindow {name} was deleted while it was open"
            await self._ledger.append(Entry("WindowClosed", Part.FACT, subject, "Deleted", text))
            self._open.pop(name, None)

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
