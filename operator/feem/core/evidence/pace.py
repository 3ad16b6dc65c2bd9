"""How fast events come, and so when a verdict can be expected."""

from __future__ import annotations

from feem.core.evidence.words import count, duration

FRESH_STEP = 20.0
"""Seconds after which a step's own rate of events is trusted."""


class Pace:
    """Counts the canary's events, in all and in the current step."""

    def __init__(self, start: float) -> None:
        self._start = self._step_start = start
        self._step = 0
        self._now = start
        self.in_step = self._before = 0

    def add(self, events: int, step: int, at: float) -> None:
        """Count a block that ended `at`, while the release was in `step`."""
        if step != self._step:
            self._before += self.in_step
            self.in_step, self._step, self._step_start = 0, step, self._now
        self.in_step += events
        self._now = at

    def wanting(self, minimum: int) -> str:
        """Say when the step will have its minimum of events, empty when it has."""
        missing = minimum - self.in_step
        if missing <= 0:
            return ""
        seconds = self._now - self._step_start
        rate = self.in_step / seconds if seconds >= FRESH_STEP and self.in_step else 0.0
        if not rate:
            elapsed = self._now - self._start
            rate = (self._before + self.in_step) / elapsed if elapsed > 0 else 0.0
        needs = (
            f"{count(minimum)} events of the canary in this step are needed to pass, {count(self.in_step)} were seen"
        )
        if not rate:
            return f"{needs}; it gets no traffic"
        return f"{needs}; at this traffic that takes about {duration(missing / rate)} more"
