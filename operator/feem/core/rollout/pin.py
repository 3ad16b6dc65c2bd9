"""Giving the owner's Service its selector back, once and completely."""

from __future__ import annotations

from feem.core.rollout.effects import Effect, UnpinService
from feem.core.rollout.snapshot import ReleaseSnapshot


def unpinning(s: ReleaseSnapshot) -> tuple[Effect, ...]:
    """Return what unpins the Service, or nothing.

    It takes two writes, the selector's and that of its field ownership, and only the first can be seen: so an unpinning that
    was interrupted is asked for again as long as its intent is open.
    """
    effect = UnpinService(s.namespace, s.release.spec.traffic.service)
    return (effect,) if s.pinned or str(effect) in s.unfinished else ()
