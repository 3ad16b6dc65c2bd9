# ruff: noqa: ARG002 - the signatures are those of what is simulated
"""Who may decide what, what ticket systems say, and which policies FEEM ships, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feem.api.gate import TicketSystem
from feem.core.gates.facts import TicketAnswer
from feem.core.gates.result import Reliance
from feem.ports import Body, NotWitnessed
from tests.world.api import Api, Request


class SimulatedAuthority:
    """Everybody may everything, but for what is in `lost`: (user, verb, role). Each question is one request."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.lost: set[tuple[str, str, str]] = set()
        self.skew: float | None = 0.0

    async def holds(self, reliance: Reliance, namespace: str, release: str) -> bool:
        name = "subjectaccessreviews.authorization.k8s.io"
        self._api.requests.append(Request(0, "create", name, reliance.user))
        return (reliance.user, reliance.verb, reliance.role) not in self.lost


class SimulatedTickets:
    """Answers by ticket; a ticket that is not there is missing."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    async def look_up(self, system: TicketSystem, ticket: str) -> TicketAnswer:
        status = self.statuses.get(ticket)
        return TicketAnswer(missing=True) if status is None else TicketAnswer(status=status)


class SimulatedPolicies:
    """What FEEM would have installed."""

    def __init__(self, bodies: Sequence[Body] = ()) -> None:
        self._bodies = bodies

    def shipped(self) -> Sequence[Body]:
        return self._bodies


class SimulatedWitnesses:
    """Vouch for everything while they are awake, and remember what they were asked."""

    def __init__(self) -> None:
        self.awake = True
        self.asked: list[int] = []

    async def witnessed(self, index: int) -> None:
        self.asked.append(index)
        if not self.awake:
            raise NotWitnessed(
                f"entry {index} has to be witnessed before the act, and is not: auditor: it does not answer"
            )


@dataclass(frozen=True)
class Rights:
    """All of them together, which outlive the operator's process."""

    authority: SimulatedAuthority
    tickets: SimulatedTickets
    policies: SimulatedPolicies
    witnesses: SimulatedWitnesses

    @classmethod
    def all_of(cls, api: Api) -> Rights:
        return cls(SimulatedAuthority(api), SimulatedTickets(), SimulatedPolicies(), SimulatedWitnesses())
