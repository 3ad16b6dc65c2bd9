"""Failures a person can do something about."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - it is shown to people, who need no "Error" in front
    """Names the object, the reason and the next step; printed plainly, without a traceback."""

    exit_code = 2
    """Not 1: that is how `watch` says rolled back and `audit verify` says damaged."""

    def __init__(self, what: str, reason: str, next_step: str = "") -> None:
        super().__init__(what, reason, next_step)
        self.what, self.reason, self.next_step = what, reason, next_step

    def __str__(self) -> str:
        text = f"error: {self.what}: {self.reason}"
        return f"{text}\n  next: {self.next_step}" if self.next_step else text


class NotFound(Problem):
    """There is no such object."""


class Forbidden(Problem):
    """The person lacks the right to it (RBAC)."""


class Denied(Problem):
    """An admission policy says no; `policy` is its name."""

    def __init__(self, what: str, reason: str, next_step: str = "", policy: str = "") -> None:
        super().__init__(what, reason, next_step)
        self.policy = policy


class Unreachable(Problem):
    """The API server did not answer; it may later."""
