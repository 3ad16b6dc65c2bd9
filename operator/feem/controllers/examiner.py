"""Gathers what gates look at, has it judged, and asks for people's rights again at the moment they are acted upon."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow
from feem.controllers.gather import Gatherer
from feem.controllers.resources import PROFILES, RUNS, WINDOWS
from feem.core.gates.chain import evaluate
from feem.core.gates.closure import close
from feem.core.gates.drills import passed_runs
from feem.core.gates.facts import GateFacts, Guard, TicketAnswer
from feem.core.gates.result import Closure, Compliance, Reliance
from feem.core.gates.ticket import wanted_tickets
from feem.ports import Authority, Clock, Cluster, Tickets

Lost = frozenset[tuple[str, str, str]]


@dataclass(frozen=True)
class Examination:
    """What was looked at, and what the gates say of it."""

    facts: GateFacts
    compliance: Compliance


class Examiner:
    """Asks the gates; the right that a decision rests on is taken for granted until something is done because of it."""

    def __init__(
        self, cluster: Cluster, clock: Clock, gatherer: Gatherer, *, authority: Authority, tickets: Tickets
    ) -> None:
        self._cluster, self._clock, self._gatherer = cluster, clock, gatherer
        self._authority, self._tickets = authority, tickets

    async def examine(self, service: ManagedService, release: Release) -> Examination:
        """Return what every gate says of an open release now."""
        facts = self._facts(service, release)
        facts = replace(facts, tickets=await self._answers(release, facts.profile))
        return Examination(facts, evaluate(facts))

    async def confirm(self, examination: Examination) -> Compliance:
        """Ask the API server for every right that the open gates rest on; what is lost counts no more. Raises Unavailable."""
        facts, compliance = examination.facts, examination.compliance
        while lost := await self._lost(facts, compliance.relies_on):
            facts = replace(facts, lost=facts.lost | lost)
            compliance = evaluate(facts)
        return compliance

    async def closure(self, service: ManagedService, release: Release) -> Closure:
        """Return what an ended release owes, and whether that is done by people who may."""
        facts = self._facts(service, release)
        found = close(facts)
        while lost := await self._lost(facts, found.relies_on):
            facts = replace(facts, lost=facts.lost | lost)
            found = close(facts)
        return found

    def siblings(self, service: ManagedService, release: Release) -> tuple[Release, ...]:
        """Return the service's other releases."""
        return tuple(item for item in self._gatherer.releases(service) if item.metadata.uid != release.metadata.uid)

    def _facts(self, service: ManagedService, release: Release) -> GateFacts:
        return GateFacts(
            now=self._clock.now(),
            release=release,
            service=service,
            profile=self.profile(release),
            decisions=self._gatherer.decisions(release.metadata.namespace, release.metadata.name),
            windows=tuple(ChangeWindow.read(body) for body in self._cluster.list(WINDOWS)),
            siblings=self.siblings(service, release),
            guard=self._guard(service),
            skew=self._authority.skew,
            runs=passed_runs(self._cluster.list(RUNS, release.metadata.namespace), release.spec.service),
        )

    def _guard(self, service: ManagedService) -> Guard:
        """What is weak now, and since when nothing was; a picture that is newer than the status does not count as whole."""
        guard, digest = self._gatherer.guard()
        written = service.status.guard if service.status is not None else None
        known = written is not None and written.digest == digest
        return replace(guard, since=written.since if written is not None and known else self._clock.now())

    def profile(self, release: Release) -> ComplianceProfile | None:
        """Return the profile that a release was requested under, as it is now."""
        asked = release.spec.compliance
        body = self._cluster.get(PROFILES, "", asked.profile) if asked is not None else None
        return ComplianceProfile.read(body) if body is not None else None

    async def _answers(self, release: Release, profile: ComplianceProfile | None) -> dict[str, TicketAnswer]:
        if profile is None:
            return {}
        wanted = wanted_tickets(release, profile)
        answers = await asyncio.gather(*(self._tickets.look_up(system, ticket) for system, ticket in wanted))
        return {ticket: answer for (_, ticket), answer in zip(wanted, answers, strict=True)}

    async def _lost(self, facts: GateFacts, relied_on: tuple[Reliance, ...]) -> Lost:
        meta = facts.release.metadata
        rights = [item for item in relied_on if (item.user, item.verb, item.role) not in facts.lost]
        held = await asyncio.gather(*(self._authority.holds(item, meta.namespace, meta.name) for item in rights))
        return frozenset((item.user, item.verb, item.role) for item, ok in zip(rights, held, strict=True) if not ok)
