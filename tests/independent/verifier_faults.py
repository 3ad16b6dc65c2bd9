"""What the verifier says when something is wrong: a place and a reason."""

from __future__ import annotations


class RejectedError(Exception):
    """Carries the first bad index (None when the fault is not at one entry) and the reason as a sentence."""

    def __init__(self, reason: str, index: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index

    def at(self, index: int) -> RejectedError:
        """Name the entry at which a fault was found that did not know its own place."""
        return RejectedError(self.reason, index if self.index is None else self.index)
