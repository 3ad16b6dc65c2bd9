"""How far this process' clock is from the API server's, from the Date header of ordinary answers."""

from __future__ import annotations

import collections
from email.utils import parsedate_to_datetime

ANSWERS = 16
"""How many answers are remembered: enough to see past the whole seconds of the header, few enough to follow a clock that drifts."""
RESOLUTION = 1.0
"""Seconds; the header leaves fractions out."""


class Skew:
    """What the last answers allow: each bounds the difference of the clocks, and the bounds are laid over each other.

    An answer sent at the server's second D, asked for at `asked` and there at `answered` by our clock, says that we are ahead by
    more than `asked - D - 1` and at most `answered - D`, however long it took. A slow answer says little and does no harm.
    """

    def __init__(self) -> None:
        self._bounds: collections.deque[tuple[float, float]] = collections.deque(maxlen=ANSWERS)

    def note(self, date: str | None, *, asked: float, answered: float) -> None:
        """Take in one answer's Date header; moments are Unix seconds by our clock. What is no date is passed over."""
        if not date or answered < asked:
            return
        try:
            server = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._bounds.append((asked - server - RESOLUTION, answered - server))

    @property
    def seconds(self) -> float | None:
        """Seconds by which our clock is ahead, None before the first answer.

        Answers that contradict newer ones are left out: one of the clocks was set in between.
        """
        if not self._bounds:
            return None
        lowest, highest = self._bounds[-1]
        for low, high in reversed(self._bounds):
            if low > highest or high < lowest:
                break
            lowest, highest = max(lowest, low), min(highest, high)
        return (lowest + highest) / 2
