"""Reads ComplianceProfiles as soon as they are written, so that a slip in one is seen before it holds a release."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feem.api.audit import Part, Subject
from feem.api.base import ConditionStatus
from feem.api.gate import Gate, Stage
from feem.api.profile import ComplianceProfile, ProfileSpec, ProfileStatus
from feem.core.conditions import condition, said, with_condition
from feem.core.digest import digest_of
from feem.core.windows.days import problem_with_days
from feem.ports import Clock, Cluster, Entry, Ledger

PROFILES = "complianceprofiles.feem.dev"
Problem = tuple[str, str]
"""A CamelCase reason, and a sentence with the next step."""


class ProfileController:
    """Writes a profile's condition `Accepted` and its summary, and records each change of it."""

    def __init__(self, cluster: Cluster, ledger: Ledger, clock: Clock) -> None:
        self._cluster, self._ledger, self._clock = cluster, ledger, clock
        self._known: dict[str, tuple[Subject, int]] = {}

    async def reconcile(self, name: str) -> None:
        """Read one profile and say what is wrong with it, all at once; the reason is that of the first problem."""
        body = self._cluster.get(PROFILES, "", name)
        if body is None:
            await self._record_gone(name)
            return
        profile = ComplianceProfile.read(body)
        generation, old = profile.metadata.generation, profile.status or ProfileStatus()
        problems = tuple(problems_with(profile.spec))
        status = ConditionStatus.FALSE if problems else ConditionStatus.TRUE
        reason = problems[0][0] if problems else "Accepted"
        summary = summary_of(profile.spec)
        text = "; ".join(message for _, message in problems) or summary
        accepted = condition("Accepted", status, reason, text[:8192], self._clock.now(), generation)
        conditions = with_condition(old.conditions, accepted)
        await self._record(profile, old.observed_generation, reason, text)
        if said(conditions) != said(old.conditions) or summary != old.summary:
            new = ProfileStatus(observed_generation=generation, conditions=conditions, summary=summary)
            await self._cluster.write_status(PROFILES, "", name, new.wire(), profile.metadata.resource_version)

    async def _record(self, profile: ComplianceProfile, observed: int, reason: str, text: str) -> None:
        """Record a generation once, before the status says that it was seen; the evidence is the digest of the whole spec."""
        meta, known = profile.metadata, self._known.get(profile.metadata.name)
        subject = Subject(kind="ComplianceProfile", name=meta.name, uid=meta.uid)
        if meta.generation != observed and known != (subject, meta.generation):
            digest = digest_of(profile.spec.wire())
            message = f"generation {meta.generation}: {text}"[:4000]
            await self._ledger.append(Entry("ProfileChanged", Part.FACT, subject, reason, message, evidence=digest))
        self._known[meta.name] = subject, meta.generation

    async def _record_gone(self, name: str) -> None:
        """Record that a profile was deleted: the releases under it are held from now on."""
        known = self._known.get(name)
        if known is not None:
            text = f"ComplianceProfile {name} was deleted: what is released under it is held"
            await self._ledger.append(Entry("ProfileChanged", Part.FACT, known[0], "Deleted", text))
            self._known.pop(name, None)


def summary_of(spec: ProfileSpec) -> str:
    """Count the gates by stage, e.g. `9 gates: 2 at Request, 6 at Start, 1 at Closure`."""
    counts = {stage: sum(gate.stage is stage for gate in spec.gates) for stage in Stage}
    stages = ", ".join(f"{count} at {stage}" for stage, count in counts.items() if count)
    return f"{len(spec.gates)} gate{'s' if len(spec.gates) != 1 else ''}: {stages}"


def problems_with(spec: ProfileSpec) -> Iterator[Problem]:
    """Yield what the API server could not check: BadPattern, UnknownTimeZone, UnknownCountry, NoSignOff."""
    for gate in spec.gates:
        for problem in _problems_with_gate(gate):
            yield problem[0], f"gate {gate.name}: {problem[1]}"
    if spec.break_glass is None:
        return
    closing = {gate.name for gate in spec.gates if gate.stage is Stage.CLOSURE}
    for name in spec.break_glass.skips:
        if name in closing:
            yield (
                "NoSignOff",
                f"breakGlass skips {name}, which an emergency owes like any other change: take it out of breakGlass.skips",
            )


def _problems_with_gate(gate: Gate) -> Iterator[Problem]:
    for named in (gate.ticket, gate.requirements):
        wrong = _problem_with_pattern(named.pattern) if named is not None else None
        if wrong is not None:
            yield wrong
    if gate.lead_time is not None:
        wrong = problem_with_days(gate.lead_time.time_zone, gate.lead_time.country)
        if wrong is not None:
            yield wrong


def _problem_with_pattern(pattern: str) -> Problem | None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        return (
            "BadPattern",
            f"pattern {pattern!r} is not a regular expression ({problem}): write one that matches the whole text, e.g. `PAY-[0-9]+`",
        )
    return None
