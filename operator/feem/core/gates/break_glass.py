"""Emergencies: a decision that opens what the profile lists, for a few hours, and owes a review."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from feem.api.decision import Decision, Verb
from feem.api.profile import BreakGlass
from feem.core.gates.ballot import NEVER, decisions_of, made, unguarded
from feem.core.gates.case import Case
from feem.core.gates.moments import utc
from feem.core.gates.result import Reliance

LONGEST = timedelta(hours=4)
"""No profile allows more."""


@dataclass(frozen=True)
class Emergency:
    """The gates that an emergency may skip, by name; the decision in force and its end (UTC); why others are not."""

    skips: frozenset[str] = frozenset()
    decision: Decision | None = None
    until: datetime | None = None
    useless: tuple[str, ...] = field(default=())

    @property
    def rests_on(self) -> tuple[Reliance, ...]:
        """Whose right has to be asked for again before a gate is skipped."""
        if self.decision is None:
            return ()
        spec = self.decision.spec
        return (Reliance(self.decision.metadata.name, spec.by, tuple(spec.groups), "breakglass"),)


def emergency_of(case: Case) -> Emergency:
    """Return the emergency in force; of several decisions the one that counts longest."""
    profile = case.facts.profile
    rules = profile.spec.break_glass if profile is not None else None
    if rules is None or case.compliance is None:
        return Emergency()
    found = [(decision, _problem(case, decision, rules)) for decision in decisions_of(case, Verb.BREAK_GLASS)]
    useless = tuple(f"{item.spec.by}'s BreakGlass {item.metadata.name} {problem}" for item, problem in found if problem)
    good = [(_end(item), item.metadata.name, item) for item, problem in found if not problem]
    skips = frozenset(rules.skips)
    if not good:
        return Emergency(skips, useless=useless)
    until, _, decision = max(good, key=lambda one: one[:2])
    return Emergency(skips, decision, until)


def _end(decision: Decision) -> datetime:
    """When a decision stops to count; without an end it never did."""
    return utc(decision.spec.expires_at) if decision.spec.expires_at is not None else NEVER


def _problem(case: Case, decision: Decision, rules: BreakGlass) -> str:
    """Return why a BreakGlass decision is not in force, in words that follow its name; empty when it is."""
    spec = decision.spec
    if spec.digest != case.binding:
        return "allowed something else, which was edited since"
    if made(decision) < case.requested_at:
        return "was decided before the change was requested"
    if unguarded(case, decision):
        return "was decided while FEEM's policies were not in force"
    if _end(decision) <= case.now:
        return "has expired"
    if made(decision) > case.now:
        return "was decided later than the operator's clock says it is"
    if _end(decision) - made(decision) > longest(rules):
        return f"reaches further than {longest(rules).total_seconds():.0f} s"
    if (spec.by, "breakglass", "") in case.facts.lost:
        return "is of somebody who may not do so any more"
    return ""


def longest(rules: BreakGlass) -> timedelta:
    """Return how long such a decision may count under a profile."""
    return min(timedelta(seconds=rules.max_seconds), LONGEST)
