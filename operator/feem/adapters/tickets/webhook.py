"""Tickets of any system behind a small HTTP adapter: GET an address with the ticket in it, and read `{"status": "…"}`."""

from __future__ import annotations

from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from feem.adapters.tickets.access import PLACE, Access, is_name
from feem.adapters.tickets.problem import Unanswered, broken, malformed, refused
from feem.adapters.tickets.session import prepare
from feem.core.gates.facts import TicketAnswer


class WebhookTickets:
    """Blocking, safe to use from several threads. Raises ValueError when the address has no place for the ticket."""

    def __init__(self, access: Access) -> None:
        if PLACE not in access.url:
            raise ValueError(f"{access.setting}.url does not say where the ticket goes: write {PLACE} there")
        self.access = access

    def ask(self, ticket: str) -> TicketAnswer:
        """Return a ticket's status. What went wrong stands in the answer."""
        if not is_name(ticket):
            return TicketAnswer(missing=True)
        try:
            return self._ask(ticket)
        except Unanswered as problem:
            return TicketAnswer(problem=str(problem))
        except (requests.RequestException, HTTPError, OSError) as failure:
            return TicketAnswer(problem=str(broken(self.access, failure)))

    def _ask(self, ticket: str) -> TicketAnswer:
        access, token = self.access, self.access.token()
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        with requests.Session() as session:
            prepare(session, access)
            url = access.url.replace(PLACE, quote(ticket, safe=""))
            answer = session.get(url, headers=headers, timeout=access.timeout)
        if answer.status_code == requests.codes.not_found:
            return TicketAnswer(missing=True)
        if answer.status_code != requests.codes.ok:
            raise refused(access, answer.status_code)
        status = answer.json().get("status")
        if not isinstance(status, str) or not 0 < len(status) <= 256:
            raise malformed(access, 'without {"status": "…"}')
        return TicketAnswer(status=status)
