"""The marks on HTTPRoute and Deployment: which release, step and direction weights or a template belong to.

Each is written in the same request as what it marks, so the object itself remembers a decision to go back even when the
operator dies before it could write anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

FORWARD = "forward"


@dataclass(frozen=True)
class TrafficMark:
    """`step` counts from 1; after the last step it is the number of steps plus one (all traffic on the canary, before promotion).

    `ending` is empty on the way forward, else how the release ends, e.g. `RolledBack`, with `reason` beside it.
    """

    release: str
    step: int
    ending: str = ""
    reason: str = ""

    def __str__(self) -> str:
        direction = f"back:{self.ending}:{self.reason}" if self.ending else FORWARD
        return f"{self.release}/{self.step}/{direction}"


@dataclass(frozen=True)
class UndoMark:
    """On a Deployment that goes back to the template before `release`, because of `reason`."""

    release: str
    reason: str

    def __str__(self) -> str:
        return f"{self.release}/{self.reason}"


def parse_undo(text: str | None) -> UndoMark | None:
    """Read an undo's mark back; None when there is none or somebody else wrote it."""
    release, _, reason = (text or "").partition("/")
    return UndoMark(release, reason) if release and reason and "/" not in reason else None


def parse_mark(text: str | None) -> TrafficMark | None:
    """Read a mark back; None when there is none or somebody else wrote it."""
    parts = (text or "").split("/")
    if len(parts) != 3 or not parts[0] or not parts[1].isdigit():
        return None
    release, step, direction = parts[0], int(parts[1]), parts[2]
    if direction == FORWARD:
        return TrafficMark(release, step)
    back = direction.split(":")
    if len(back) != 3 or back[0] != "back" or not back[1]:
        return None
    return TrafficMark(release, step, back[1], back[2])
