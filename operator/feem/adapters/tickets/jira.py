"""Tickets in Jira, Data Center or Cloud: the name of an issue's status, by REST API version 2."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests
from jira import JIRA, JIRAError
from urllib3.exceptions import HTTPError

from feem.adapters.tickets.access import Access, is_name
from feem.adapters.tickets.problem import Unanswered, broken, malformed, refused
from feem.adapters.tickets.session import prepare
from feem.core.gates.facts import TicketAnswer


class JiraTickets:
    """Blocking, safe to use from several threads: each look-up has a session of its own, with the token of that moment."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def ask(self, ticket: str) -> TicketAnswer:
        """Return an issue's status. What went wrong stands in the answer."""
        if not is_name(ticket):
            return TicketAnswer(missing=True)
        try:
            return self._ask(ticket)
        except Unanswered as problem:
            return TicketAnswer(problem=str(problem))
        except (requests.RequestException, HTTPError, OSError) as failure:
            return TicketAnswer(problem=str(broken(self.access, failure)))

    def _ask(self, ticket: str) -> TicketAnswer:
        client = self._client()
        try:
            issue = client.issue(quote(ticket, safe=""), fields="status")
        except JIRAError as problem:  # its text holds the whole answer with its headers: none of that is repeated
            if problem.status_code == requests.codes.not_found and _is_jiras(problem):
                return TicketAnswer(missing=True)
            if problem.status_code == requests.codes.not_found:
                raise malformed(self.access, "404, and not as Jira does") from None
            raise refused(self.access, problem.status_code or 0) from None
        except (
            AttributeError,
            KeyError,
            TypeError,
            NotImplementedError,
        ):  # the package takes a JSON object for an issue without looking
            raise malformed(self.access, "without an issue") from None
        finally:
            client.close()
        return TicketAnswer(status=_status(issue.raw, self.access))

    def _client(self) -> Any:
        access, token = self.access, self.access.token()
        signed: dict[str, Any] = {"basic_auth": (access.user, token)} if access.user else {"token_auth": token or None}
        client = JIRA(
            access.url,
            options={"check_update": False},
            get_server_info=False,
            max_retries=0,  # a retry would sleep in our thread; the next look at the gate asks anew
            timeout=access.timeout,
            logging=False,
            **signed,
        )
        prepare(client._session, access)  # noqa: SLF001 - the package has no other way to a session of one's own
        return client


def _is_jiras(problem: Any) -> bool:
    """Whether a 404 is Jira's own: a web server in front of it that does not know the path answers in another way."""
    try:
        said = problem.response.json()
    except ValueError:
        return False
    return isinstance(said, dict) and ("errorMessages" in said or "errors" in said)


def _status(issue: Any, access: Access) -> str:
    try:
        name = issue["fields"]["status"]["name"]
    except (KeyError, TypeError):
        name = None
    if not isinstance(name, str) or not 0 < len(name) <= 256:
        raise malformed(access, "without the status of the issue")
    return name
