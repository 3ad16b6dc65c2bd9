"""All ticket systems as one: looked up beside the event loop, remembered for a while, never asked twice at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from feem.adapters.tickets.access import Access
from feem.adapters.tickets.jira import JiraTickets
from feem.adapters.tickets.problem import late
from feem.adapters.tickets.webhook import WebhookTickets
from feem.api.gate import TicketSystem
from feem.core.gates.facts import TicketAnswer

log = logging.getLogger(__name__)

REMEMBERED = 30.0
"""Seconds for which an answer holds: gates are asked with every look at a release."""
PROBLEM_REMEMBERED = 5.0
"""Seconds until a system that could not be asked is tried again."""
MOST = 1000
"""How many answers are remembered at most."""
THREADS = 4
"""Look-ups under way at once. A system that hangs keeps these threads busy, and nothing else."""
NOT_GIVEN = {
    TicketSystem.JIRA: "FEEM has no Jira: set tickets.jira.url in the chart's values",
    TicketSystem.WEBHOOK: "FEEM has no ticket webhook: set tickets.webhook.url in the chart's values",
}


class Provider(Protocol):
    """One ticket system, asked in a thread."""

    access: Access

    def ask(self, ticket: str) -> TicketAnswer:
        """Return what the system says of a ticket; what went wrong stands in the answer."""
        ...


class TicketSystems:
    """The ticket systems that the operator was given; None for one it was not given. Raises ValueError for a wrong setting."""

    def __init__(
        self,
        jira: Access | None = None,
        webhook: Access | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers: dict[TicketSystem, Provider] = {}
        if jira is not None:
            self._providers[TicketSystem.JIRA] = JiraTickets(jira)
        if webhook is not None:
            self._providers[TicketSystem.WEBHOOK] = WebhookTickets(webhook)
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tickets")
        self._known: dict[tuple[TicketSystem, str], tuple[float, TicketAnswer]] = {}
        self._asking: dict[tuple[TicketSystem, str], asyncio.Task[TicketAnswer]] = {}

    async def look_up(self, system: TicketSystem, ticket: str) -> TicketAnswer:
        """Return what a system says of a ticket. Never raises: what went wrong stands in the answer."""
        provider = self._providers.get(system)
        if provider is None:
            return TicketAnswer(problem=NOT_GIVEN[system])
        key = system, ticket
        until, answer = self._known.get(key, (0.0, TicketAnswer()))
        if self._monotonic() < until:
            return answer
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(provider, key), name=f"ticket {ticket}")
        return await asyncio.shield(asking)  # another release may wait for the same ticket

    def close(self) -> None:
        """Begin no more look-ups; those under way end by their own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, provider: Provider, key: tuple[TicketSystem, str]) -> TicketAnswer:
        try:
            async with asyncio.timeout(provider.access.timeout):
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, provider.ask, key[1])
        except TimeoutError:
            answer = TicketAnswer(problem=str(late(provider.access)))
        except Exception as unforeseen:  # noqa: BLE001 - whatever a library raises must hold one gate, not stop the operator
            kind = type(unforeseen).__name__  # its text may hold a header
            log.error("looking up a ticket in %s failed: %s", provider.access.system, kind)  # noqa: TRY400 - see above
            answer = TicketAnswer(
                problem=f"{provider.access.system} could not be asked ({kind}): tell FEEM's developers"
            )
        finally:
            del self._asking[key]
        self._remember(key, answer)
        return answer

    def _remember(self, key: tuple[TicketSystem, str], answer: TicketAnswer) -> None:
        now = self._monotonic()
        if len(self._known) >= MOST:
            self._known = {known: kept for known, kept in self._known.items() if kept[0] > now}
        if len(self._known) < MOST:
            self._known[key] = now + (PROBLEM_REMEMBERED if answer.problem else REMEMBERED), answer
