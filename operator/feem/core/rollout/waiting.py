"""Waiting: a plan that changes nothing but what the status says."""

from __future__ import annotations

from typing import Any

from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import next_status


def watching(s: ReleaseSnapshot) -> float | None:
    """Seconds until the next look: a canary with traffic is judged all the time, whatever else is waited for."""
    return s.interval if s.traffic is not None and s.traffic.weight > 0 else None


def wait(
    s: ReleaseSnapshot,
    reason: str,
    message: str,
    *,
    going: bool = False,
    requeue: float | None = None,
    **fields: Any,
) -> Plan:
    """A plan that changes nothing but the status."""
    status = next_status(s.release, s.now, progressing=(going, reason, message), verdicts=list(s.verdicts), **fields)
    return Plan("Wait", reason, message, status, requeue=requeue)
