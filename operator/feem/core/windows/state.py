"""All windows of a service together: whether changes may go forward now, from when on they may, and when that may be different."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from feem.api.window import ChangeWindow, WindowSpec, WindowType
from feem.core.windows.interval import FOREVER, HORIZON
from feem.core.windows.problem import problem_with
from feem.core.windows.times import next_span, span_at

MOST_STEPS = 500
"""How often windows may give way to one another before the search for a common opening is given up."""


@dataclass(frozen=True)
class WindowState:
    """What a service's windows say at one moment.

    `open` is whether changes may go forward: no Freeze is open and, where one is needed, an Allow is. `freezes` are those open now,
    `allow` says whether an Allow is open and `has_allow` whether there is any, usable or not. `opens_at` is the first moment (UTC)
    from now on at which changes may go forward: now where they may; None when it is not within the horizon. `changes_at` is the
    next moment at which a window that matters opens or closes; None when none does within the horizon.
    """

    open: bool
    freezes: tuple[ChangeWindow, ...]
    allow: bool
    has_allow: bool
    opens_at: datetime | None
    changes_at: datetime | None


def state_of(windows: Sequence[ChangeWindow], now: datetime, *, need_allow: bool) -> WindowState:
    """Look at the windows whose scope has the service. A Freeze that cannot be used counts as open, such an Allow as closed."""
    freezes = tuple(window for window in windows if window.spec.type is WindowType.FREEZE)
    allows = tuple(window for window in windows if window.spec.type is WindowType.ALLOW)
    closed_by = tuple(window for window in freezes if closes_at(window.spec, now) is not None)
    allowed = any(closes_at(window.spec, now) is not None for window in allows)
    relevant = (*freezes, *allows) if need_allow else freezes
    return WindowState(
        open=not closed_by and (allowed or not need_allow),
        freezes=closed_by,
        allow=allowed,
        has_allow=bool(allows),
        opens_at=_opening(_specs(freezes), _specs(allows) if need_allow else None, now),
        changes_at=min(_changes(_specs(relevant), now), default=None),
    )


def closes_at(spec: WindowSpec, now: datetime) -> datetime | None:
    """Return when (UTC) a window that counts as open closes, FOREVER when that is not known; None when it counts as closed."""
    if problem_with(spec) is not None:
        return FOREVER if spec.type is WindowType.FREEZE else None
    span = span_at(spec, now)
    return span.end if span is not None else None


def _specs(windows: Sequence[ChangeWindow]) -> tuple[WindowSpec, ...]:
    return tuple(window.spec for window in windows)


def _changes(specs: Sequence[WindowSpec], now: datetime) -> Iterator[datetime]:
    for spec in specs:
        end = closes_at(spec, now)
        if end is None:
            following = next_span(spec, now)
            end = following.start if following is not None else FOREVER
        if end != FOREVER:
            yield end


def _opening(freezes: Sequence[WindowSpec], allows: Sequence[WindowSpec] | None, now: datetime) -> datetime | None:
    """Walk from the end of what is closed to the beginning of what is open, until both agree."""
    moment, limit = now, now + HORIZON
    for _ in range(MOST_STEPS):
        ends = [end for spec in freezes if (end := closes_at(spec, moment)) is not None]
        if ends:
            moment = max(ends)
        elif allows is None or any(closes_at(spec, moment) is not None for spec in allows):
            return moment
        else:
            spans = (next_span(spec, moment) for spec in allows)
            moment = min((span.start for span in spans if span is not None), default=FOREVER)
        if moment > limit:
            return None
    return None
