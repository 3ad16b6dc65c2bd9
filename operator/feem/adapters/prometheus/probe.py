"""One value of any PromQL, as its writer wrote it: what tells whether a fault works."""

from __future__ import annotations

import math

from feem.adapters.prometheus.answer import Unanswered
from feem.adapters.prometheus.asking import Asker
from feem.core.chaos.snapshot import Reading


async def value_of(asker: Asker, query: str) -> Reading:
    """Return what a query gives now; nothing found is 0. Never raises: what went wrong is the reading's problem."""
    try:
        found = await asker.values(query)
    except Unanswered as problem:
        return Reading(problem=str(problem))
    if len(found) > 1:
        return Reading(problem=f"it gives {len(found)} values where one is needed: put sum(…) or max(…) around it")
    value = found[0].samples[-1].value if found else 0.0
    if not math.isfinite(value):
        return Reading(problem=f"it gives {value}, which is no number to compare: guard it, e.g. by `or vector(0)`")
    return Reading(value)
