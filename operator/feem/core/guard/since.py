"""Since when the policies have been in force without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feem.api.service import GuardStatus


def next_guard(old: GuardStatus | None, weakened: Sequence[str], digest: str, now: datetime) -> GuardStatus:
    """Return the new status. Decisions made before `since` may have been made while nobody checked who made them.

    While a policy is weakened the digest is empty, and `since` is when that was first seen: it does not move with every look,
    and moves once more when all is in force again.
    """
    kept = "" if weakened else digest
    if old is not None and old.digest == kept:
        return old
    return GuardStatus(digest=kept, since=now)
