"""What is known of an applicant, and for how long it may be believed."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Record = Literal["clean", "adverse", "unknown"]
SALT = b"credit-check, synthetic"  # a real one would be a secret


class BureauError(Exception):
    """The bureau was not reached, or answered what cannot be used; says which."""


def pseudonym(applicant: str, rounds: int) -> str:
    """Give the name under which an applicant's record is kept: 32 hex digits, PBKDF2 (RFC 8018) over SHA-256.

    Identity numbers are few enough to try them all, so the digest is made expensive: some milliseconds of processor
    time for each request, which is this service's work.
    """
    return hashlib.pbkdf2_hmac("sha256", applicant.encode(), SALT, rounds, dklen=16).hex()


def understand(body: bytes, applicant: str) -> Record:
    """Read the bureau's record of an applicant.

    Raises BureauError for anything but a record of this very person: a missing number is never "no adverse record".
    """
    try:
        document = json.loads(body)
    except ValueError as problem:
        raise BureauError("the bureau's answer is not JSON") from problem
    if not isinstance(document, dict) or document.get("id") != applicant:
        raise BureauError("the bureau's answer is not about this applicant")
    adverse = document.get("adverse_records")
    if isinstance(adverse, bool) or not isinstance(adverse, int) or adverse < 0:
        raise BureauError("the bureau's answer does not say how many adverse records there are")
    return "adverse" if adverse else "clean"


class RecentRecords:
    """The newest records, each for `seconds`, `most` at once: the oldest go first, so memory stays bounded."""

    def __init__(self, seconds: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: OrderedDict[str, tuple[float, Record]] = OrderedDict()

    def keep(self, name: str, record: Record) -> None:
        """Remember what the bureau has just said."""
        self._kept.pop(name, None)
        self._kept[name] = (self._clock(), record)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def recent(self, name: str) -> Record | None:
        """Return what the bureau said lately, None when it did not or too long ago."""
        at, record = self._kept.get(name, (0.0, None))
        return record if record and self._clock() - at <= self._seconds else None
