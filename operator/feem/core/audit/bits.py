"""A set of small numbers, one bit each: a log's settled intents, however long it is."""

from __future__ import annotations


class Bits:
    """Grows as needed; numbers are not negative."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, number: int) -> None:
        """Put a number in."""
        place = number >> 3
        if place >= len(self._bytes):
            self._bytes.extend(bytes(place + 1 - len(self._bytes)))
        self._bytes[place] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        """Whether a number is in."""
        place = number >> 3
        return 0 <= place < len(self._bytes) and bool(self._bytes[place] >> (number & 7) & 1)
